import type { Connection } from '../core/check/settings.ts';
import type { CheckResult } from '../core/check/verdict.ts';
import { familyOf } from '../core/ip.ts';
import type { Patience } from './patience.ts';
import { sockaddrIp } from './sockaddr.ts';
import { SO, SOL_SOCKET, type Socket } from './socket.ts';
import type { StreamTarget } from './streams.ts';

/** A probe under way. */
export interface Probe {
  /** Ends it without a result. */
  abort(): void;
}

/** Called once, never before the function that starts the probe has returned, and not after an abort. */
export type Done = (result: CheckResult) => void;

/** What the wait for a result tells: that this process stood still, else how long a good server took. */
export function measured(result: CheckResult, { stood, elapsed }: Waited): CheckResult {
  if (stood > 0) return { ...result, stood };
  return result.verdict === 'good' ? { ...result, latency: elapsed } : result;
}
type Waited = Pick<Patience, 'stood' | 'elapsed'>;

const device = (name: string): Uint8Array => new TextEncoder().encode(`${name}\0`);
const anyAddress = (connection: Connection) =>
  (familyOf(connection.address) === 4 ? '0.0.0.0' : '::') as never;

/** The source that a checker wants, if any: an address, a port, or both. */
function sourceName(connection: Connection): Uint8Array | undefined {
  const { source, sourcePort } = connection;
  if (source === undefined && sourcePort === undefined) return undefined;
  return sockaddrIp(source ?? anyAddress(connection), sourcePort ?? 0);
}

/** Settings live as long as the configuration: their socket addresses are made once. */
const targets = new WeakMap<Connection, StreamTarget>();

/** Where a checker connects to, in the kernel's terms. */
export function targetOf(connection: Connection): StreamTarget {
  const known = targets.get(connection);
  if (known !== undefined) return known;
  const source = sourceName(connection);
  const target: StreamTarget = {
    name: sockaddrIp(connection.address, connection.port),
    ...(source === undefined ? {} : { source }),
    ...(connection.device === undefined ? {} : { device: device(connection.device) }),
    mark: (connection.mark ?? 0) | 0,
  };
  targets.set(connection, target);
  return target;
}

/** Binds and connects a datagram socket as the checker wants it. Throws SystemError. */
export function connectDatagram(socket: Socket, connection: Connection): void {
  const { name, source, device: from, mark } = targetOf(connection);
  if (mark !== 0) socket.setOption(SOL_SOCKET, SO.MARK, mark);
  if (from !== undefined) socket.setOption(SOL_SOCKET, SO.BINDTODEVICE, from);
  if (source !== undefined) socket.bind(source);
  socket.connect(name);
}
