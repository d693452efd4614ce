import { type Ip, isMulticast, parseIp } from '../../core/ip.ts';
import { type SyncDaemonFacts, syncDaemonFacts } from '../../core/reconcile/syncdaemon.ts';
import { isChosen, parseClientChoice, parseServiceChoice, type SyncChoice } from '../../core/sync/choice.ts';
import { decodeMessage, SYNC_GROUP, SYNC_PORT } from '../../core/sync/message.ts';
import { connectionColumns, connectionReport } from '../../core/sync/shown.ts';
import type { SyncTarget, TappedDatagram } from '../../core/sync/tap.ts';
import { type Command, InvalidArgumentError, wholeNumber } from '../../io/arguments.ts';
import { IpvsClient } from '../../io/ipvs.ts';
import { RouteSocket } from '../../io/route.ts';
import { aligned } from '../../io/screen.ts';
import { syncPorts } from '../../io/synccount.ts';
import { SyncTap } from '../../io/synctap.ts';
import { syncLines } from '../synclines.ts';
import { type CommonOptions, fail } from './ask.ts';
import { enterNamespaceOf } from './enter.ts';
import { look, tryLook } from './look.ts';
import { pull } from './syncpull.ts';

const EXAMPLES = `
Examples:
  vipkeeper sync status                             the kernel's sync daemons
  vipkeeper sync pull                               get the master's whole connection table now
  vipkeeper sync watch                              what this host's sync daemons send and hear
  vipkeeper sync watch --interface eth1             on a host that runs none
  vipkeeper sync watch --service 10.0.0.100:80 --state established
  vipkeeper sync watch --client 192.0.2.0/24 --json | jq .connection`;

interface WatchOptions extends CommonOptions {
  readonly interface?: string;
  readonly group?: Ip;
  readonly port?: number;
  readonly service?: string;
  readonly client?: SyncChoice['client'];
  readonly state?: string;
  readonly id?: number;
  readonly count?: number;
}

export function addSync(program: Command): void {
  const sync = program
    .command('sync')
    .description('connection sync between the directors')
    .addHelpText('after', EXAMPLES);
  sync
    .command('status')
    .description("the kernel's sync daemons and what is known of them")
    .option('--json', 'as data')
    .action(async (_options, self: Command) => {
      const options: CommonOptions = self.optsWithGlobals();
      const { sync: facts } = await look(options);
      if (facts === null) return fail('no lvs_sync_daemon is configured, or its process has not begun');
      const lines = options.json ? [JSON.stringify(facts, null, 2)] : syncLines(facts);
      process.stdout.write(`${lines.join('\n')}\n`);
    });
  sync
    .command('pull')
    .description("on a backup: get a copy of the master's whole connection table now, and wait for it")
    .option('--json', 'what it got, as data')
    .action(async (_options, self: Command) => pull(self.optsWithGlobals()));
  sync
    .command('watch')
    .description('print the connections that are told of on the network, until it is interrupted')
    .option('--interface <name>', "where to listen; default: where this host's sync daemons run")
    .option(
      '--group <address>',
      `the multicast group; default: that of the sync daemons, or ${SYNC_GROUP}`,
      groupOf,
    )
    .option(
      '--port <number>',
      `the UDP port; default: that of the sync daemons, or ${SYNC_PORT}`,
      wholeNumber(1, 65_535),
    )
    .option(
      '--service <name>',
      'only of this virtual server: 10.0.0.100, 10.0.0.100:80, "fwmark 7"',
      serviceOf,
    )
    .option('--client <address>', 'only of this client, or of the clients of a network', clientOf)
    .option('--state <name>', 'only in this state: established', (text) => text.toUpperCase())
    .option('--id <number>', 'only with this syncid', wholeNumber(0, 255))
    .option('--count <number>', 'end after so many', wholeNumber(1, 1_000_000_000))
    .option('--json', 'each as a line of data')
    .addHelpText('after', EXAMPLES)
    .action(async (_options, self: Command) => watch(self.optsWithGlobals()));
}

function groupOf(text: string): Ip {
  const group = parseIp(text);
  if (group === undefined || !isMulticast(group))
    throw new InvalidArgumentError('A multicast address is wanted.');
  return group;
}

function serviceOf(text: string): string {
  const service = parseServiceChoice(text);
  if (service !== undefined) return service;
  throw new InvalidArgumentError('An address, an address and port, or "fwmark NUMBER" is wanted.');
}

function clientOf(text: string): NonNullable<SyncChoice['client']> {
  const client = parseClientChoice(text);
  if (client === undefined)
    throw new InvalidArgumentError('An address or a network is wanted: 192.0.2.0/24.');
  return client;
}

async function watch(options: WatchOptions): Promise<void> {
  const looked = await tryLook(options);
  enterNamespaceOf(options, 'report' in looked ? looked.report : undefined);
  const places = placesOf(options);
  const print = printer(options);
  process.stdout.on('error', () => process.exit(0));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));
  for (const { device, target } of places) {
    const tap = listen(device, target);
    tap.listen({ datagram: print, error: ({ message }) => process.stderr.write(`vipkeeper: ${message}\n`) });
  }
}

interface WatchPlace {
  readonly device: string;
  readonly target: SyncTarget;
}

/** Where to listen: what the options leave open is as the kernel's daemons have it. */
function placesOf({ interface: device, group, port }: WatchOptions): WatchPlace[] {
  const running = device !== undefined && group !== undefined && port !== undefined ? [] : runningDaemons();
  const matching = running.filter((each) => device === undefined || each.interface === device);
  const models = matching.length > 0 ? matching : [{ interface: device, group: null, port: null }];
  const places = models.map((each) => ({
    device:
      each.interface ?? fail('no sync daemon runs here: say where to listen with --interface, or start one'),
    target: {
      group: group ?? each.group ?? (SYNC_GROUP as Ip),
      port: port ?? each.port ?? SYNC_PORT,
      ports: syncPorts(),
    },
  }));
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}

/** None where there is no IPVS, or we may not ask. */
function runningDaemons(): SyncDaemonFacts[] {
  try {
    const client = new IpvsClient();
    try {
      return client.daemons().map(syncDaemonFacts);
    } finally {
      client.close();
    }
  } catch {
    return [];
  }
}

function listen(device: string, target: SyncTarget): SyncTap {
  const ifindex = new RouteSocket().links().find(({ name }) => name === device)?.ifindex;
  if (ifindex === undefined) fail(`there is no interface ${device} here`);
  try {
    return new SyncTap({ name: device, ifindex }, target);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return fail(code === 'EPERM' ? `only root may listen on ${device}` : message);
  }
}

const TITLES = [
  'TIME',
  'SENDER',
  'ID',
  'PRO',
  'CLIENT',
  'VIRTUAL SERVER',
  'REAL SERVER',
  'STATE',
  'TIMEOUT',
  '',
];
/** As wide as the usual is: what comes later is not known. */
const USUAL = [
  '00:00:00.000',
  '192.168.100.100',
  '255',
  'SCTP',
  ...Array(3).fill('192.168.100.100:65535'),
  'ESTABLISHED',
  'TIMEOUT',
  '',
];

/** Prints what is chosen of each datagram, and what is wrong with it. */
function printer(options: WatchOptions): (datagram: TappedDatagram, isOwn: boolean) => void {
  const { json = false, count = Number.POSITIVE_INFINITY } = options;
  const choice: SyncChoice = {
    ...(options.service !== undefined && { service: options.service }),
    ...(options.client !== undefined && { client: options.client }),
    ...(options.state !== undefined && { state: options.state }),
    ...(options.id !== undefined && { syncId: options.id }),
  };
  let left = count;
  const put = (row: readonly string[], report: object): void => {
    if (left === 0) return;
    process.stdout.write(`${json ? JSON.stringify(report) : (aligned([USUAL, row])[1] ?? '')}\n`);
    left--;
    if (left === 0) process.stdout.write('', () => process.exit(0));
  };
  if (!json) process.stdout.write(`${aligned([USUAL, TITLES])[1]}\n`);
  return ({ source, port, payload, isFragment }, isOwn) => {
    const time = new Date().toISOString();
    const clock = time.slice(11, 23);
    const decoded = isFragment ? ({ ok: false, fault: 'fragment' } as const) : decodeMessage(payload);
    const heard = { time, source, port, own: isOwn, bytes: payload.length };
    if (!decoded.ok) {
      put([clock, source, '', `datagram of ${payload.length} bytes: ${decoded.fault}`], {
        ...heard,
        fault: decoded.fault,
      });
      return;
    }
    const { version, syncId, connections } = decoded.message;
    for (const connection of connections) {
      if (!isChosen(connection, syncId, choice)) continue;
      const report = { ...heard, version, syncId, connection: connectionReport(connection) };
      put([clock, source, `${syncId}`, ...connectionColumns(connection)], report);
    }
    for (const { index, fault } of decoded.faulty)
      put([clock, source, `${syncId}`, `record ${index + 1}: ${fault}`], {
        ...heard,
        version,
        syncId,
        record: index + 1,
        fault,
      });
  };
}
