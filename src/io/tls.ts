import { readFileSync } from 'node:fs';
import { isIP, Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { judgeFailure } from '../core/check/failure.ts';
import type { HttpCheck, TlsFiles, TlsSettings } from '../core/check/settings.ts';
import type { CheckResult } from '../core/check/verdict.ts';

/** A TLS connection over a socket that is connected. */
export interface SecureStream {
  write(bytes: Uint8Array): void;
  /** In order as far as the check wants it; else at once. */
  end(inOrder: boolean): void;
}

interface Listener {
  connected(): void;
  data(bytes: Uint8Array): void;
  ended(): void;
  failed(result: CheckResult): void;
}

/** A certificate that was renewed is taken up within this. */
const CONTEXT_AGE_MS = 60_000;
const CONTEXTS_MAX = 100;
/** How long a server may take to close after our goodbye. */
const LINGER_MS = 1000;
const contexts = new Map<string, { readonly made: number; readonly context: SecureContext }>();

/** The context for these files; many checks share one. Throws what reading and OpenSSL throw. */
function contextOf({ ca, certificate, key, password, verify }: TlsSettings): SecureContext {
  const name = JSON.stringify([ca, certificate, key, password, verify]);
  const known = contexts.get(name);
  if (known !== undefined && Date.now() - known.made < CONTEXT_AGE_MS) return known.context;
  if (contexts.size >= CONTEXTS_MAX) contexts.clear();
  const files: TlsFiles = { ...(ca && { ca }), ...(certificate && { certificate }), ...(key && { key }) };
  const read = Object.fromEntries(
    Object.entries(files).map(([what, path]) => [what === 'certificate' ? 'cert' : what, readFileSync(path)]),
  );
  // Nothing is verified unless it is asked for, and then the host's authorities need not be loaded.
  const authorities = verify || ca !== undefined ? {} : { ca: [] };
  const context = createSecureContext({ ...authorities, ...read, ...(password && { passphrase: password }) });
  contexts.set(name, { made: Date.now(), context });
  return context;
}

/** Shakes hands over the connected socket `fd`, which is its own from now on. */
export function secure(fd: number, check: HttpCheck, part: number, listener: Listener): SecureStream {
  const plain = new Socket({ fd, readable: true, writable: true });
  plain.on('error', () => undefined);
  const settings = check.tls ?? { sni: false, verify: false };
  const name = serverName(settings, check, part);
  let socket: TLSSocket | undefined;
  try {
    socket = connect({
      socket: plain,
      secureContext: contextOf(settings),
      rejectUnauthorized: settings.verify,
      ...((settings.sni || settings.verify) && name !== undefined ? { servername: name } : {}),
      ...(settings.verify ? { host: name ?? check.address } : {}),
    });
  } catch (error) {
    plain.destroy();
    // A file that cannot be read says nothing of the server.
    const reason = `cannot use TLS: ${(error as Error).message}`;
    setImmediate(() => listener.failed({ verdict: 'unknown', reason }));
    return { write: () => undefined, end: () => undefined };
  }
  socket.on('secureConnect', () => listener.connected());
  socket.on('data', (bytes: Uint8Array) => listener.data(bytes));
  socket.on('end', () => listener.ended());
  socket.on('close', () => listener.ended());
  socket.on('error', (error: NodeJS.ErrnoException) => listener.failed(judgeTls(error)));
  return streamOver(socket, check.requests[part]?.compliant ?? false);
}

function streamOver(socket: TLSSocket, compliant: boolean): SecureStream {
  return {
    write: (bytes) => void socket.write(bytes),
    end(inOrder) {
      socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
      if (!inOrder || !compliant) {
        socket.destroy();
        return;
      }
      socket.end();
      socket.resume();
      socket.setTimeout(LINGER_MS, () => socket.destroy());
    },
  };
}

/** `sni_name`, else the request's host without its port; an address is none (RFC 6066, 3). */
function serverName(settings: TlsSettings, check: HttpCheck, part: number): string | undefined {
  const name = settings.name ?? check.requests[part]?.host?.replace(/:\d+$/, '');
  return name === undefined || isIP(name) !== 0 ? undefined : name;
}

/** A failed handshake, or a connection that broke, in words. */
function judgeTls(error: NodeJS.ErrnoException & { readonly reason?: string }): CheckResult {
  const { code = '' } = error;
  if (/^E[A-Z0-9]+$/.test(code)) {
    const { verdict, reason } = judgeFailure(code);
    return { verdict, reason: `TLS: ${reason}` };
  }
  return { verdict: 'bad', reason: `TLS: ${(error.reason ?? error.message).slice(0, 200)}` };
}
