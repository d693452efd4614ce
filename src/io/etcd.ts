import { readFileSync } from 'node:fs';
import {
  type ClientRequest,
  Agent as PlainAgent,
  type RequestOptions,
  request as requestPlain,
} from 'node:http';
import { type AgentOptions, request as requestTls, Agent as TlsAgent } from 'node:https';
import type { Stored } from '../core/fence/etcd.ts';
import type { EtcdSettings } from '../core/fence/settings.ts';
import { type Duration, toMillis } from '../core/time.ts';

/** More than any answer of ours: a list of thousands of claims. */
const ANSWER_BYTES_MOST = 4 << 20;
const LIST_MOST = 10_000;
/** A password is slow to look at on purpose (bcrypt), and it is asked for once in minutes. */
const PASSWORD_PATIENCE_LEAST_MS = 3000;
/** gRPC's status codes, as the gateway says them: the token has expired, or was made by a member that has restarted. */
const UNAUTHENTICATED = 16;

/** Why etcd did not answer, with the endpoint. */
export class EtcdTrouble extends Error {
  override name = 'EtcdTrouble';
}

/** How a write ended: its new revision, or the record that was there instead. */
export type Swap = { readonly revision: string } | { readonly found: Stored | undefined };

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

interface KeyValue {
  readonly key?: string;
  readonly mod_revision?: string;
  readonly value?: string;
}

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const decoded = (text = ''): string => Buffer.from(text, 'base64').toString('utf8');
const stored = ({ mod_revision = '0', value }: KeyValue): Stored => ({
  revision: mod_revision,
  text: decoded(value),
});

/**
 * A client of an etcd cluster, by its HTTP gateway (`/v3`, from etcd 3.4 on). It stays with an endpoint that answers;
 * the next request goes to another one where it did not.
 */
export class Etcd {
  readonly #settings: EtcdSettings;
  readonly #patience: number;
  readonly #agents: Readonly<Record<'http:' | 'https:', PlainAgent>>;
  #at = 0;
  #token: string | undefined;

  /** `patience`: how long a request may take (for a password it is longer). Throws what reading the files throws. */
  constructor(settings: EtcdSettings, patience: Duration) {
    this.#settings = settings;
    this.#patience = toMillis(patience);
    const { ca, certificate, key } = settings;
    const options: AgentOptions = {
      keepAlive: true,
      ...(ca !== undefined && { ca: readFileSync(ca) }),
      ...(certificate !== undefined && { cert: readFileSync(certificate) }),
      ...(key !== undefined && { key: readFileSync(key) }),
    };
    this.#agents = { 'http:': new PlainAgent({ keepAlive: true }), 'https:': new TlsAgent(options) };
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  /**
   * All records below `folder`, by the rest of their keys. What one member knows: it may lag behind the others. Throws
   * EtcdTrouble.
   */
  async list(folder: string): Promise<Map<string, Stored>> {
    const { kvs } = await this.#call('/v3/kv/range', {
      key: encoded(folder),
      range_end: encoded(
        `${folder.slice(0, -1)}${String.fromCharCode(folder.charCodeAt(folder.length - 1) + 1)}`,
      ),
      limit: LIST_MOST,
      serializable: true,
    });
    const found = Array.isArray(kvs) ? (kvs as KeyValue[]) : [];
    return new Map(found.map((each) => [decoded(each.key).slice(folder.length), stored(each)]));
  }

  /**
   * Writes the record if its revision is `over` (`0`: there is none), by consensus of the members. Throws EtcdTrouble.
   */
  async swap(key: string, over: string, text: string): Promise<Swap> {
    const name = encoded(key);
    const { succeeded, responses, header } = await this.#call('/v3/kv/txn', {
      compare: [{ key: name, target: 'MOD', result: 'EQUAL', mod_revision: over }],
      success: [{ request_put: { key: name, value: encoded(text) } }],
      failure: [{ request_range: { key: name } }],
    });
    if (succeeded === true) return { revision: (header as { revision?: string }).revision ?? '0' };
    const [first] = (responses ?? []) as { response_range?: { kvs?: KeyValue[] } }[];
    const there = first?.response_range?.kvs?.[0];
    return { found: there && stored(there) };
  }

  async #call(path: string, body: object): Promise<Reply['body']> {
    const endpoint = this.#endpoint;
    if (this.#settings.user !== undefined)
      this.#token ??= await this.#authenticate(endpoint, this.#settings.user);
    const reply = await this.#post(endpoint, path, body);
    if (reply.status === 200) return reply.body;
    if (reply.body.code === UNAUTHENTICATED) this.#token = undefined;
    throw this.#trouble(endpoint, said(reply));
  }

  async #authenticate(endpoint: URL, name: string): Promise<string> {
    const { passwordFile } = this.#settings;
    let password = '';
    try {
      if (passwordFile !== undefined)
        password = readFileSync(passwordFile, 'utf8').split('\n')[0]?.trim() ?? '';
    } catch (error) {
      throw new EtcdTrouble(`the password cannot be read: ${(error as Error).message}`);
    }
    const patience = Math.max(PASSWORD_PATIENCE_LEAST_MS, this.#patience);
    const reply = await this.#post(endpoint, '/v3/auth/authenticate', { name, password }, patience);
    const { token } = reply.body;
    if (reply.status !== 200 || typeof token !== 'string')
      throw this.#trouble(endpoint, `user ${name}: ${said(reply)}`);
    return token;
  }

  get #endpoint(): URL {
    const { endpoints } = this.#settings;
    return new URL(endpoints[this.#at % endpoints.length] ?? '');
  }

  /** The next request goes to another member. */
  #trouble(endpoint: URL, why: string): EtcdTrouble {
    this.#at += 1;
    return new EtcdTrouble(`${endpoint.origin}: ${why}`);
  }

  #post(endpoint: URL, path: string, body: object, patience = this.#patience): Promise<Reply> {
    const { protocol } = endpoint;
    const options: RequestOptions = {
      method: 'POST',
      path,
      agent: this.#agents[protocol as 'http:' | 'https:'],
      signal: AbortSignal.timeout(patience),
      headers: { 'content-type': 'application/json', ...(this.#token && { authorization: this.#token }) },
    };
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(this.#trouble(endpoint, wordsOf(error, patience)));
      const make = protocol === 'https:' ? requestTls : requestPlain;
      const sent: ClientRequest = make(endpoint, options, (answer) => {
        const parts: Buffer[] = [];
        let size = 0;
        answer.on('error', failed);
        answer.on('data', (part: Buffer) => {
          size += part.length;
          parts.push(part);
          if (size > ANSWER_BYTES_MOST) sent.destroy(new Error('the answer is too long'));
        });
        answer.on('end', () => {
          const body = parsed(Buffer.concat(parts).toString('utf8'));
          if (body === undefined)
            failed(new Error(`status ${answer.statusCode} without JSON: is this etcd?`));
          else resolve({ status: answer.statusCode ?? 0, body });
        });
      });
      sent.on('error', failed);
      sent.end(JSON.stringify(body));
    });
  }
}

const wordsOf = ({ name, message }: Error, patience: number): string =>
  name === 'TimeoutError' || name === 'AbortError' ? `no answer within ${patience / 1000} s` : message;

const said = ({ status, body }: Reply): string =>
  typeof body.message === 'string'
    ? body.message
    : typeof body.error === 'string'
      ? body.error
      : `status ${status}`;

function parsed(text: string): Reply['body'] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Reply['body']) : undefined;
  } catch {
    return undefined;
  }
}
