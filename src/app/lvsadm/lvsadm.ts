import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Parsed, parseArguments, tryHelp } from '../../core/ipvsadm/args.ts';
import type { Command, ListedService, View } from '../../core/ipvsadm/command.ts';
import { connectionsText, parseConnections } from '../../core/ipvsadm/connections.ts';
import { NUMERIC } from '../../core/ipvsadm/endpoint.ts';
import { ENOPROTOOPT, EPERM, errorText, startErrorText } from '../../core/ipvsadm/errors.ts';
import { bannerText, listingText } from '../../core/ipvsadm/format.ts';
import { helpText, versionText } from '../../core/ipvsadm/help.ts';
import { restoreWords } from '../../core/ipvsadm/restore.ts';
import { saveText } from '../../core/ipvsadm/save.ts';
import { daemonsText, timeoutsText } from '../../core/ipvsadm/state.ts';
import type { IpvsOperation, IpvsServiceKey } from '../../core/netlink/ipvs.ts';
import type { IpvsInfo } from '../../core/netlink/ipvs-reply.ts';
import { SystemError } from '../../io/errno.ts';
import { IpvsClient, NoIpvs } from '../../io/ipvs.ts';
import { loadModule } from '../../io/modules.ts';
import { SystemNames } from '../../io/names.ts';
import { NetlinkError } from '../../io/netlink.ts';
import { refuseDebugger } from '../../io/node.ts';
import { writeAll } from '../../io/output.ts';

/** `lvsadm`: ipvsadm's command line on the kernel's IPVS. It starts fast: what is seldom needed loads late. */

/** Where a run reads and writes; `input` is read only by `-R`. */
export interface Terminal {
  out(text: string): void;
  /** What is kept in a file: it must not be lost unnoticed. Throws what the system refuses. */
  keep(text: string): void;
  err(text: string): void;
  readonly input: AsyncIterable<string | Uint8Array>;
}

const LISTING_FAILED = 1;
const WRONG_USE = 2;
const REFUSED = 255;
const CONNECTIONS_FILE = '/proc/net/ip_vs_conn';
/** Changes of a `-R` input that are kept before they are sent together. */
const MAX_PENDING = 1000;

/** Ends a run from wherever it is. */
class Exit extends Error {
  override name = 'Exit';
  readonly status: number;

  constructor(status: number) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

/**
 * Runs one command line and gives the exit status. `words` come without the program's name; `program` is what
 * it was called, for hints.
 */
export async function lvsadm(words: readonly string[], program: string, terminal: Terminal): Promise<number> {
  const line = words.length === 0 ? ['-L'] : words;
  if (saysHelp(line, program, terminal)) return 0;
  try {
    const [client, info] = await openIpvs(terminal);
    return await new Run(program, terminal, client, info).all(line);
  } catch (error) {
    if (error instanceof Exit) return error.status;
    throw error;
  }
}

/** Help and version need no kernel, so they come first. */
function saysHelp(words: readonly string[], program: string, terminal: Terminal): boolean {
  const parsed = parseArguments(words, { host: () => null, port: () => undefined }, program);
  if (parsed.kind !== 'command') return false;
  const { kind } = parsed.command;
  if (kind === 'help') terminal.out(helpText(program));
  if (kind === 'version') terminal.out(versionText(program));
  return kind === 'help' || kind === 'version';
}

/** The kernel's IPVS, loaded when it is not there yet; throws Exit after the two lines that ipvsadm prints. */
async function openIpvs(terminal: Terminal): Promise<[IpvsClient, IpvsInfo]> {
  const first = tryOpen();
  if (typeof first !== 'number') return first;
  const second = (await loadModule('ip_vs')) ? tryOpen() : first;
  if (typeof second !== 'number') return second;
  terminal.err(`${startErrorText(second)}\n`);
  throw new Exit(WRONG_USE);
}

function tryOpen(): [IpvsClient, IpvsInfo] | number {
  try {
    const client = new IpvsClient();
    return [client, client.info()];
  } catch (error) {
    if (error instanceof NoIpvs) return process.geteuid?.() === 0 ? ENOPROTOOPT : EPERM;
    return errnoOf(error);
  }
}

/** The errno of a failed request; throws what is no such failure. */
function errnoOf(error: unknown): number {
  if (error instanceof NetlinkError || error instanceof SystemError) return error.errno;
  throw error;
}

/** For `--json` only. */
const asData = () => import('../../core/ipvsadm/json.ts');
type Listing<K extends Command['kind']> = Extract<Command, { readonly kind: K }>;

class Run {
  readonly #program: string;
  readonly #terminal: Terminal;
  readonly #client: IpvsClient;
  readonly #info: IpvsInfo;
  readonly #names = new SystemNames();
  #isRestoring = false;
  /** Changes of a `-R` input that were not sent yet. */
  #pending: IpvsOperation[] = [];

  constructor(program: string, terminal: Terminal, client: IpvsClient, info: IpvsInfo) {
    this.#program = program;
    this.#terminal = terminal;
    this.#client = client;
    this.#info = info;
  }

  async all(words: readonly string[]): Promise<number> {
    try {
      return await this.#line(words);
    } finally {
      this.#client.close();
    }
  }

  /** One command line's status; throws Exit where ipvsadm ends without reading further lines. */
  async #line(words: readonly string[]): Promise<number> {
    const parsed = await this.#parse(words);
    if (parsed.kind === 'refused') {
      this.#send();
      this.#terminal.err(`${parsed.text}\n`);
      if (parsed.final) throw new Exit(parsed.status);
      return parsed.status;
    }
    const { command } = parsed;
    if (command.kind !== 'change') {
      this.#send();
      return this.#perform(command);
    }
    this.#pending.push(command.operation);
    return this.#isRestoring && this.#pending.length < MAX_PENDING ? 0 : this.#send();
  }

  async #parse(words: readonly string[]): Promise<Exclude<Parsed, { kind: 'lookup' }>> {
    for (;;) {
      const parsed = parseArguments(words, this.#names.source, this.#program);
      if (parsed.kind !== 'lookup') return parsed;
      await this.#names.findHost(parsed.host);
    }
  }

  /** Makes the pending changes, prints what the kernel refused, and gives the status of the last one. */
  #send(): number {
    if (this.#pending.length === 0) return 0;
    const operations = this.#pending;
    this.#pending = [];
    let status = 0;
    for (const [index, { errno }] of this.#client.apply(operations).entries()) {
      status = errno === 0 ? 0 : REFUSED;
      const operation = operations[index];
      if (errno !== 0 && operation !== undefined) this.#terminal.err(`${errorText(operation.op, errno)}\n`);
    }
    return status;
  }

  async #perform(command: Exclude<Command, { kind: 'change' }>): Promise<number> {
    const { out, keep } = this.#terminal;
    switch (command.kind) {
      case 'list':
        out(await this.#listing(command.view, command.service));
        return 0;
      case 'save':
        keep(await this.#saved(command.numeric));
        return 0;
      case 'list-connections':
        out(await this.#connections(command));
        return 0;
      case 'list-timeouts': {
        const timeouts = this.#listed(() => this.#client.timeouts());
        out(command.json ? (await asData()).timeoutsJson(timeouts) : timeoutsText(timeouts));
        return 0;
      }
      case 'list-daemons': {
        const daemons = this.#listed(() => this.#client.daemons());
        out(command.json ? (await asData()).daemonsJson(daemons) : daemonsText(daemons));
        return 0;
      }
      case 'help':
        out(helpText(this.#program));
        throw new Exit(0);
      case 'version':
        out(versionText(this.#program));
        throw new Exit(0);
      case 'restore':
        return this.#restore();
    }
  }

  async #listing(view: View, service: IpvsServiceKey | undefined): Promise<string> {
    const table = this.#table(service);
    const info = service === undefined ? this.#info : undefined;
    if (view.json) return (await asData()).tableJson(table, info, view.sorted);
    if (!view.numeric) await this.#findNames(table);
    const text = listingText(table, view, this.#names.directory);
    return info === undefined ? text : bannerText(info) + text;
  }

  async #saved(numeric: boolean): Promise<string> {
    const table = this.#table();
    if (!numeric) await this.#findNames(table);
    return saveText(table, numeric ? NUMERIC : this.#names.directory);
  }

  /** The whole table, or the one service. */
  #table(key?: IpvsServiceKey): ListedService[] {
    return this.#listed(() => {
      const services = key === undefined ? this.#client.services() : [this.#client.service(key)];
      return services.map((service) => ({ service, destinations: this.#client.destinations(service.key) }));
    });
  }

  async #findNames(table: readonly ListedService[]): Promise<void> {
    await this.#names.findNames(
      table.flatMap(({ service, destinations }) => [
        ...('fwmark' in service.key ? [] : [service.key.address]),
        ...destinations.map(({ address }) => address),
      ]),
    );
  }

  async #connections({ numeric, engineData, json }: Listing<'list-connections'>): Promise<string> {
    const connections = parseConnections(this.#readConnections());
    if (json) return (await asData()).connectionsJson(connections);
    if (!numeric) {
      await this.#names.findNames(
        connections.flatMap(({ client, virtual, destination }) => [
          client.address,
          virtual.address,
          destination.address,
        ]),
      );
    }
    return connectionsText(connections, engineData, numeric ? NUMERIC : this.#names.directory);
  }

  #readConnections(): string {
    try {
      return readFileSync(CONNECTIONS_FILE, 'utf8');
    } catch {
      this.#terminal.err(`cannot open file ${CONNECTIONS_FILE}\n`);
      throw new Exit(LISTING_FAILED);
    }
  }

  /** What the kernel answers to a question; prints ipvsadm's words and throws Exit when it refuses. */
  #listed<T>(ask: () => T): T {
    try {
      return ask();
    } catch (error) {
      this.#terminal.err(`${errorText('list', errnoOf(error))}\n`);
      throw new Exit(LISTING_FAILED);
    }
  }

  /** Runs each line of the input; the status is the last one's, as ipvsadm's is. */
  async #restore(): Promise<number> {
    if (this.#isRestoring) {
      this.#terminal.err(`${tryHelp(this.#program)}\n`);
      throw new Exit(REFUSED);
    }
    this.#isRestoring = true;
    let status = 0;
    for await (const line of inputLines(this.#terminal.input)) {
      const words = restoreWords(line);
      if (words.length > 0) status = await this.#line(words);
    }
    return this.#pending.length > 0 ? this.#send() : status;
  }
}

async function* inputLines(input: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input) {
    const lines = (
      rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))
    ).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** What the shell shows for a program that SIGPIPE ended. */
const NOBODY_READS = 141;

/** Writes as ipvsadm does: only that nobody reads any more ends a program, a full disk goes unnoticed. */
function writeLoosely(descriptor: number, text: string): void {
  try {
    writeAll(descriptor, text);
  } catch (error) {
    if (isUnread(error)) throw error;
  }
}

const isUnread = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EPIPE';
const isWrite = (error: unknown): boolean => (error as NodeJS.ErrnoException).syscall === 'write';

const TERMINAL: Terminal = {
  out: (text) => writeLoosely(1, text),
  keep: (text) => writeAll(1, text),
  err: (text) => writeLoosely(2, text),
  get input() {
    return process.stdin;
  },
};

/** Runs the process: `argv` as Node has it. The name it was called by stands in hints, so a link keeps its own. */
export async function main(argv: readonly string[], run = lvsadm): Promise<void> {
  await refuseDebugger();
  const [, path = 'lvsadm', ...words] = argv;
  try {
    process.exitCode = await run(words, basename(path), TERMINAL);
  } catch (error) {
    if (!isWrite(error)) throw error;
    process.exitCode = isUnread(error) ? NOBODY_READS : LISTING_FAILED;
    if (!isUnread(error)) writeLoosely(2, `the table is not saved: ${(error as Error).message}\n`);
  }
}
