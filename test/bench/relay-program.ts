import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SyncRelay } from '../../src/app/sync/relay.ts';
import { ip as address, type Ip } from '../../src/core/ip.ts';
import { SYNC_GROUP, SYNC_PORT } from '../../src/core/sync/message.ts';
import { PRIVATE_LINK, type SyncDaemonSettings } from '../../src/core/sync/settings.ts';
import { joinGroup, sendMulticastBy } from '../../src/io/membership.ts';
import { AF, sockaddrIp } from '../../src/io/sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from '../../src/io/socket.ts';
import { enterNamespace, ifindexOf, ip } from '../io/namespace.ts';
import { clock } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';

/**
 * `relay-program RATE SECONDS`, in a network namespace of its own: so many datagrams of 1340 bytes a second go from one
 * relay to another, as the sync processes of two directors have them. What stands for the kernel's daemons are sockets
 * of this process, on a veth of the private link's name. Prints JSON.
 */
const [first = '', second = '', keyFile = ''] = process.argv.slice(2);
const GROUP = SYNC_GROUP as Ip;
const BYTES = 1340;
const TICK_MILLISECONDS = 5;
const ENDS = { sender: '127.0.0.1', receiver: '127.0.0.2' } as const;
type End = keyof typeof ENDS;
const LINKS: Readonly<Record<End, string>> = { sender: PRIVATE_LINK, receiver: 'right' };

/** What one relay has used so far. */
interface Used {
  readonly cpuMilliseconds: number;
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly connected: boolean;
}

if (first in ENDS) serve(first as End);
else {
  enterNamespace();
  await measure(Number(first), Number(second));
}

/** A relay in a process of its own, which answers what it has used. */
function serve(end: End): void {
  const other = end === 'sender' ? 'receiver' : 'sender';
  const link = {
    ensure: () => ({ ifindex: ifindexOf(LINKS[end]), made: false }),
    remove: () => false,
  };
  const relay = new SyncRelay(undefined, link, {
    log: (_level, message) => process.stderr.write(`${end}: ${message}\n`),
    heard: () => undefined,
  });
  const peers = [{ address: address(ENDS[other]), port: 5408 }];
  const settings: SyncDaemonSettings = {
    interface: PRIVATE_LINK,
    id: 1,
    bulkPort: 0,
    alarm: 0,
    relay: { keyFile, local: address(ENDS[end]), port: 5408, peers },
  };
  relay.configure(settings);
  relay.settle();
  process.on('disconnect', () => process.exit());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const [peer] = relay.facts()?.peers ?? [];
    const { sent = 0, received = 0, lost = 0, connected = false } = peer ?? {};
    process.send?.({ cpuMilliseconds: (user + system) / 1000, sent, received, lost, connected });
  });
}

async function used(relay: ChildProcess): Promise<Used> {
  relay.send('how much');
  const [answer] = (await once(relay, 'message')) as [Used];
  return answer;
}

async function measure(rate: number, seconds: number): Promise<void> {
  ip(`link add ${LINKS.sender} type veth peer name ${LINKS.receiver}`);
  for (const [i, name] of Object.values(LINKS).entries()) {
    ip(`addr add 169.254.81.${81 + i}/32 dev ${name}`);
    ip(`link set ${name} up`);
  }
  const key = join(mkdtempSync(join(tmpdir(), 'relay-bench-')), 'key');
  writeFileSync(key, 'a key that is long enough\n', { mode: 0o600 });
  const start = (end: End): ChildProcess => fork(process.argv[1] ?? '', [end, '', key]);
  const [sender, receiver] = [start('sender'), start('receiver')];
  while (!(await used(sender)).connected || !(await used(receiver)).connected) await pause(100);
  const arrived = backup();
  const before = [await used(sender), await used(receiver)] as const;
  await send(rate, seconds);
  await pause(500);
  const after = [await used(sender), await used(receiver)] as const;
  const cpu = (i: 0 | 1): number => after[i].cpuMilliseconds - before[i].cpuMilliseconds;
  const count = after[0].sent - before[0].sent;
  const report = { count, arrived: arrived(), lost: after[1].lost, sender: cpu(0), receiver: cpu(1) };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exit(0);
}

/** Listens as a backup daemon; how many datagrams it has had. */
function backup(): () => number {
  const socket = new Socket(AF.INET, SOCK.DGRAM, 0, 'backup');
  socket.setOption(SOL_SOCKET, SO.BINDTODEVICE, new TextEncoder().encode(LINKS.receiver));
  socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, 8 << 20);
  socket.bind(sockaddrIp(GROUP, SYNC_PORT));
  joinGroup(socket, GROUP, ifindexOf(LINKS.receiver));
  socket.reserve({ data: 2048, slots: 64 });
  let count = 0;
  socket.listen({
    datagram: () => void count++,
    error: (error) => process.stderr.write(`${error.message}\n`),
  });
  return () => count;
}

/** Sends as a master daemon. */
async function send(rate: number, seconds: number): Promise<void> {
  const socket = new Socket(AF.INET, SOCK.DGRAM, 0, 'master');
  sendMulticastBy(socket, ifindexOf(LINKS.sender));
  const payload = new Uint8Array(BYTES).fill(7);
  const batch = Array<Uint8Array>(32).fill(payload);
  const to = sockaddrIp(GROUP, SYNC_PORT);
  const begin = clock();
  for (let count = 0; count < rate * seconds; ) {
    const due = Math.min(rate * seconds, ((clock() - begin) / 1000) * rate);
    while (count < due) count += socket.sendBatch(batch, to);
    await pause(TICK_MILLISECONDS);
  }
  socket.close();
}
