import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { ip } from '../../src/core/ip.ts';
import type { SyncedConnection } from '../../src/core/sync/connection.ts';
import { encodeMessage, SYNC_GROUP, SYNC_PORT } from '../../src/core/sync/message.ts';
import { toMillis } from '../../src/core/time.ts';
import { file, operator, pathOf, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { pause, Scene } from '../lab/scene/scene.ts';
import { Watcher } from '../lab/scene/watcher.ts';

/**
 * `bulk-program CONNECTIONS`, in a kernel with IPVS that nobody else uses: the kernel of a master gets so many idle
 * connections, its backup a copy of them, and then compares its table. Prints the figures of bulk.ts as JSON.
 */
const VIP = '10.0.0.100';
const PORT = 80;
const SERVER = '10.0.0.21';
const VRID = 51;
const ADVERT_MILLISECONDS = 1000;
const ADDRESS = { a: '10.0.0.1', b: '10.0.0.2', filler: '10.0.0.9' } as const;
/** As many as fit into a datagram of 1452 bytes. */
const RECORDS = 40;
/** Longer than all of this takes. */
const TIMEOUT_SECONDS = 7200;
const LIMIT_SECONDS = 900;
/** Whoever asks often costs what is measured. */
const POLL_MILLISECONDS = 200;
const SETTLED_MILLISECONDS = 4000;
const TICK_MILLISECONDS = 10;
/** So much waits for the kernel's thread while the master's table is filled; the copy itself has the usual queue. */
const QUEUE_BYTES = 64 << 20;

const [first = '', second = ''] = process.argv.slice(2);
if (first === 'fill') await fill(Number(second));
else await measure(Number(first));

/** Says the connections to the kernels of the group. */
async function fill(size: number): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  socket.setMulticastInterface(ADDRESS.filler);
  for (let from = 0; from < size; from += RECORDS) {
    const count = Math.min(RECORDS, size - from);
    const connections = Array.from({ length: count }, (_, i) => connection(from + i));
    const datagram = encodeMessage({ version: 1, syncId: VRID, connections });
    await new Promise((resolve) => socket.send(datagram, SYNC_PORT, SYNC_GROUP, resolve));
  }
  socket.close();
}

/** Established TCP, by NAT. */
function connection(n: number): SyncedConnection {
  const client = ip(`172.${16 + (n >> 16)}.${(n >> 8) & 0xff}.${n & 0xff}`);
  return {
    ...{ protocol: 6, flags: 0, state: 1, fwmark: 0, timeout: TIMEOUT_SECONDS },
    client: { address: client, port: 40_000 },
    virtual: { address: ip(VIP), port: PORT },
    destination: { address: ip(SERVER), port: PORT },
  };
}

function configuration(keyFile: string, name: 'a' | 'b', copies: boolean): string {
  return `heartbeat {
  key_file ${keyFile}
  director a ${ADDRESS.a}
  director b ${ADDRESS.b}
  name ${name}
}
global_defs {
  lvs_sync_daemon lan VI_1
  ${copies ? '' : 'lvs_bulk_port 0'}
}
vrrp_instance VI_1 {
  interface lan
  virtual_router_id ${VRID}
  priority ${name === 'a' ? 150 : 100}
  advert_int ${ADVERT_MILLISECONDS / 1000}
  virtual_ipaddress {
    ${VIP}/24
  }
}
virtual_server ${VIP} ${PORT} {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server ${SERVER} ${PORT} {
  }
}
`;
}

async function until<T>(what: string, found: () => Promise<T | undefined>): Promise<T> {
  for (const begin = performance.now(); performance.now() - begin < LIMIT_SECONDS * 1000; ) {
    const value = await found();
    if (value !== undefined) return value;
    await pause(POLL_MILLISECONDS);
  }
  throw new Error(`not within ${LIMIT_SECONDS} s: ${what}`);
}

function routerIs(host: Host, state: string): Promise<true> {
  return until(`${host.name} is ${state}`, async () =>
    (await statusOf(host))?.vrrp?.instances[0]?.state === state ? true : undefined,
  );
}

/** MiB. The lab's kernel has no smaps_rollup. */
function rssOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]) / 1024;
}

/** Milliseconds, in the steps of its clock. The lab's kernel has no schedstat. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MILLISECONDS;
}

/** A process of connection sync: `cpu` in milliseconds, `rss` in MiB. */
interface SyncProcess {
  readonly pid: number;
  readonly cpu: number;
  readonly rss: number;
}

function syncProcesses(hosts: readonly Host[]): Promise<SyncProcess[]> {
  return Promise.all(
    hosts.map(async (host) => {
      const pid = (await statusOf(host))?.processes.find(({ role }) => role === 'sync')?.pid ?? Number.NaN;
      return { pid, cpu: cpuOf(pid), rss: rssOf(pid) };
    }),
  );
}

/** A reload may have started another one: then it is what that has used. */
function usedSince(before: SyncProcess | undefined, now: SyncProcess): number {
  return now.cpu - (before?.pid === now.pid ? before.cpu : 0);
}

/** The master's kernel hears of the connections as a backup, before its daemon starts. */
function fillTable(host: Host, filler: Host, size: number): void {
  writeFileSync('/proc/sys/net/core/rmem_max', `${QUEUE_BYTES}`);
  host.sysctl({ 'net.ipv4.vs.sync_sock_size': QUEUE_BYTES });
  host.run('ipvsadm', '--start-daemon', 'backup', '--mcast-interface', 'lan', '--syncid', `${VRID}`);
  const known = (): number => Number(host.run('grep', '-c', 'ESTABLISHED', '/proc/net/ip_vs_conn'));
  for (let attempt = 1; ; attempt++) {
    filler.run(process.execPath, process.argv[1] ?? '', 'fill', `${size}`);
    const count = known();
    if (count >= size) break;
    if (attempt === 10) throw new Error(`the master's kernel took in only ${count} of ${size} connections`);
  }
  host.run('ipvsadm', '--stop-daemon', 'backup');
  host.sysctl({ 'net.ipv4.vs.sync_sock_size': 0 });
}

async function measure(size: number): Promise<void> {
  const scene = new Scene();
  try {
    const lan = scene.link('lan');
    const [a, b, filler] = (['a', 'b', 'filler'] as const).map((name) =>
      scene.host(name).on(lan, `${ADDRESS[name]}/24`),
    ) as [Host, Host, Host];
    const key = pathOf(a, 'key');
    writeFileSync(key, 'a key that nobody here guesses\n', { mode: 0o600 });
    fillTable(a, filler, size);
    vipkeeper(a, configuration(key, 'a', true));
    await routerIs(a, 'MASTER');
    vipkeeper(b, configuration(key, 'b', false));
    await routerIs(b, 'BACKUP');
    await pause(SETTLED_MILLISECONDS);
    const watcher = await Watcher.start(b, VIP);
    const before = await syncProcesses([a, b]);
    file(b, 'vipkeeper.conf', configuration(key, 'b', true));
    operator(b, 'reload');
    const got = await until('the copy ends', async () => (await statusOf(b))?.sync?.bulk.got);
    const copied = await syncProcesses([a, b]);
    if (got.outcome !== 'complete' || got.connections < size)
      throw new Error(`${got.outcome}: ${got.connections} connections, ${got.missing} missing`);
    await until('the tables are compared', async () => {
      const { survey } = (await statusOf(b))?.sync?.health ?? {};
      return survey !== undefined && survey.at > got.at ? survey : undefined;
    });
    const surveyed = await syncProcesses([a, b]);
    const { adverts } = await watcher.observations();
    const from = got.at - toMillis(got.took) - ADVERT_MILLISECONDS;
    const meanwhile = adverts
      .filter(({ source, at }) => source === ADDRESS.a && at > from && at < got.at + 2 * ADVERT_MILLISECONDS)
      .map(({ at }) => at);
    const figures = [
      toMillis(got.took),
      got.datagrams,
      Math.max(...meanwhile.slice(1).map((at, i) => at - (meanwhile[i] ?? at))),
      ...copied.map((now, i) => usedSince(before[i], now)),
      ...surveyed.flatMap(({ rss }, i) => [before[i]?.rss ?? Number.NaN, rss]),
      ...surveyed.map((now, i) => usedSince(copied[i], now)),
    ];
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  } catch (error) {
    process.stderr.write(`${scene.tails()}\n`);
    throw error;
  } finally {
    scene.close();
  }
}
