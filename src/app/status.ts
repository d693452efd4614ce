import { counted } from '../core/counted.ts';
import type {
  AddressReport,
  BfdReport,
  CheckReport,
  ProcessReport,
  RouterReport,
  ServerReport,
  StatusReport,
  VrrpReport,
} from '../core/status/report.ts';
import { aligned, lasting, paint } from '../io/screen.ts';
import { fencingLines } from './fencelines.ts';
import { lengthOf, orderWords, stateWord } from './standing.ts';
import { syncLines } from './synclines.ts';
import { voteLines } from './votelines.ts';

/** The answer to `vipkeeper reload`. */
export interface Reload {
  /** False: the configuration has errors, and the running one stays in force. */
  readonly applied: boolean;
  readonly complaints: readonly string[];
  /** What it changed, in one line; absent where it was not applied. */
  readonly changes?: string;
}

const STATE_STYLE = { MASTER: 'green', BACKUP: 'cyan', FAULT: 'red', INIT: 'gray' } as const;

const SESSION_STYLE = { Up: 'green', Init: 'cyan', Down: 'red', AdminDown: 'gray' } as const;

/** Addresses of a virtual router that are shown; it may have hundreds. */
const MAX_ADDRESSES = 12;

const heading = (text: string): string => paint('bold', text);
const header = (...names: string[]): string[] => names.map((name) => paint('gray', name));

/** The status as lines for a person. */
export function statusLines(report: StatusReport): string[] {
  const { vrrp, check, sync, maintenance, running } = report;
  const lines = running ? [daemonLine(report)] : absentLines(report);
  if (maintenance) lines.push(paint('yellow', 'MAINTENANCE: this director holds no virtual address'));
  lines.push(...report.troubles.map((trouble) => paint('red', trouble)));
  if (vrrp !== null && vrrp.instances.length > 0)
    lines.push('', ...routerLines(vrrp, report), ...advertLines(vrrp));
  if (vrrp !== null && vrrp.watchdog !== null) lines.push('', watchdogLine(vrrp.watchdog));
  if (vrrp !== null && vrrp.votes !== null) lines.push('', ...voteLines(vrrp.votes));
  if (report.fencing !== null) lines.push('', ...fencingLines(report.fencing, report.time));
  if (vrrp !== null && vrrp.bfd.length > 0) lines.push('', ...sessionLines(vrrp, report.time));
  if (check !== null) lines.push('', ...serverLines(check, report));
  if (sync !== null) {
    lines.push('', heading('Connection sync'), ...syncLines(sync));
  }
  lines.push('', ...processLines(report.processes));
  if (report.refusedRequests > 0)
    lines.push(`  ${report.refusedRequests} requests of operators were refused`);
  return lines;
}

function daemonLine({ version, pid, uptime, configuration }: StatusReport): string {
  return `${heading(`vipkeeperd ${version}`)}  process ${pid}, up ${lasting(uptime ?? 0)}, ${configuration}`;
}

/** Nobody answers, but its processes go on. */
function absentLines({ version, pid, configuration }: StatusReport): string[] {
  const how =
    pid === null
      ? 'does not run, but its processes below go on: start it again'
      : `process ${pid} does not answer; its processes below go on`;
  return [
    `${heading(`vipkeeperd ${version}`)}  ${paint('red', how)}`,
    `What the kernel has of ${configuration}:`,
  ];
}

/** The adverts that were dropped, by reason, and those that were odd but taken. */
function advertLines({ instances, malformed, unknownVrids }: VrrpReport): string[] {
  const rows = instances.flatMap(({ name, statistics }) => {
    const [dropped, odd] = [countsOf(statistics?.rejected ?? {}), countsOf(statistics?.noticed ?? {})];
    return [
      ...(dropped === '' ? [] : [[name, paint('yellow', 'dropped'), dropped]]),
      ...(odd === '' ? [] : [[name, 'taken, but unexpected', odd]]),
    ];
  });
  if (malformed > 0) rows.push(['-', paint('yellow', 'dropped'), `malformed ${malformed}`]);
  if (unknownVrids > 0) rows.push(['-', 'for other virtual routers', String(unknownVrids)]);
  if (rows.length === 0) return [];
  return ['', heading('Odd adverts'), ...aligned([header('ROUTER', 'WHAT', 'COUNTS'), ...rows], '  ')];
}

function routerLines({ instances }: VrrpReport, report: StatusReport): string[] {
  const { maintenance, time } = report;
  const style = maintenance ? ({ ...STATE_STYLE, FAULT: 'yellow' } as const) : STATE_STYLE;
  const rows = instances.map((router) => [
    router.name,
    router.state === null ? paint('red', 'unknown') : paint(style[router.state], router.state),
    router.priority === router.configuredPriority
      ? String(router.priority)
      : `${router.priority} of ${router.configuredPriority}`,
    router.since === null ? '-' : lasting(lengthOf(router.since, time)),
    masterOf(router, time),
    router.interface,
    `${router.vrid}`,
    `v${router.version}`,
    router.cause,
  ]);
  const names = header('ROUTER', 'STATE', 'PRIORITY', 'FOR', 'MASTER', 'INTERFACE', 'VRID', 'VRRP', 'WHY');
  const [first = '', ...table] = aligned([names, ...rows], '  ');
  const lines = table.flatMap((line, i) => [line, ...moreLines(instances[i], time)]);
  return [heading('Virtual routers') + silence(report, 'vrrp'), first, ...lines];
}

/** What goes below a virtual router's line. */
function moreLines(router: RouterReport | undefined, time: string): string[] {
  if (router === undefined) return [];
  const claims = router.otherMasters.map(({ address, why, since }) => {
    const long = lasting(lengthOf(since, time));
    return paint('red', `    ${address} also claims ${router.name} (${why}), for ${long}`);
  });
  const { addresses, peers, group, peer, state } = router;
  const sets = [
    addressWords(router, addresses),
    ...(peers.length === 0 ? [] : [`peers ${peers.join(', ')}`]),
    ...(state === 'MASTER' && peer !== null
      ? [`heard ${peer.address} ${lasting(lengthOf(peer.heard, time))} ago`]
      : []),
    ...(group === null ? [] : [`sync group ${group}`]),
  ];
  const words = sets.filter((each) => each !== '').join('; ');
  return words === '' ? claims : [`    ${words}`, ...claims];
}

/** Where its addresses are, and where they should not be or are missing. */
function addressWords({ state, interface: own }: RouterReport, addresses: readonly AddressReport[]): string {
  const named = (list: readonly AddressReport[]): string => {
    const shown = list.slice(0, MAX_ADDRESSES).map(({ address, interface: device }) => {
      return device === own ? address : `${address} on ${device}`;
    });
    const more = list.length - shown.length;
    return [shown.join(', '), ...(more > 0 ? [`and ${more} more`] : [])].join(' ');
  };
  const here = addresses.filter(({ present }) => present === true);
  const away = addresses.filter(({ present }) => present === false);
  const unseen = addresses.filter(({ present }) => present === null);
  const parts = [
    here.length > 0 && state === 'MASTER' && paint('green', `has ${named(here)}`),
    here.length > 0 && state === null && paint('yellow', `this host has ${named(here)}`),
    here.length > 0 &&
      state !== 'MASTER' &&
      state !== null &&
      paint('yellow', `${named(here)} is here all the same`),
    away.length > 0 && state === 'MASTER' && paint('red', `the kernel does not have ${named(away)}`),
    away.length > 0 && state !== 'MASTER' && paint('gray', `not here: ${named(away)}`),
    unseen.length > 0 && `addresses ${named(unseen)}`,
  ];
  return parts.filter((part) => part !== false).join('; ');
}

/** Adverts that a master may miss before it is one no more. */
const MISSED = 3;

/** Who is master; one that can not serve may hear that somebody else does. */
function masterOf({ state, master, peer, advertInterval }: RouterReport, time: string): string {
  if (state === 'MASTER') return 'this director';
  if (master !== null) return `${master.address} (${master.priority})`;
  const fresh = peer !== null && lengthOf(peer.heard, time) < MISSED * advertInterval + 1;
  return fresh && peer.priority > 0 ? `${peer.address} (${peer.priority})` : '-';
}

/** For the heading of what a silent process said last. */
function silence({ processes }: StatusReport, role: string): string {
  const silent = processes.find((each) => each.role === role)?.silent ?? null;
  if (silent === null) return '';
  const said = `as the ${role} process said ${lasting(silent)} ago: it is silent since`;
  return `  ${paint('red', said)}`;
}

/** A session that its neighbour ended is down, but those who track it still count on it: yellow. */
function sessionLines({ bfd, bfdDiscarded }: VrrpReport, time: string): string[] {
  const rows = bfd.map((session) => {
    const { name, state, reachable, neighbor, since, detectionTime } = session;
    return [
      name,
      paint(reachable && state === 'Down' ? 'yellow' : SESSION_STYLE[state], state),
      neighbor,
      lasting(lengthOf(since, time)),
      detectionTime === 0 ? '-' : `${Math.round(detectionTime * 1e6) / 1e3} ms`,
      whyOf(session),
    ];
  });
  const names = header('SESSION', 'STATE', 'NEIGHBOUR', 'FOR', 'DETECTS IN', 'WHY');
  const lines = [heading('BFD sessions'), ...aligned([names, ...rows], '  ')];
  const discarded = countsOf(bfdDiscarded);
  return discarded === '' ? lines : [...lines, paint('yellow', `  discarded packets: ${discarded}`)];
}

function whyOf({ state, reachable, received, cause }: BfdReport): string {
  if (received === 0) return 'nothing heard of the neighbour yet';
  return reachable && state !== 'Up' ? `${cause}: no failure for who tracks it` : cause;
}

/** `checksum 3, ttl 1`: what was counted, the most frequent first; empty when nothing was. */
const countsOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');

function serverLines(
  { services, problems, foreign, foreignCount }: CheckReport,
  report: StatusReport,
): string[] {
  const rows = services.flatMap(({ name, quorum, sorry, aliveWeight, suspended, servers }) => [
    [
      paint('bold', name),
      quorum ? paint('green', 'quorum') : paint('red', sorry ? 'sorry server serves' : 'no quorum'),
      String(aliveWeight),
      ...sumOf(servers),
      suspended ? paint('yellow', 'not checked: this director does not have its address') : '',
    ],
    ...servers.map((server) => [
      `  ${server.name}`,
      stateWord(server),
      String(server.weight),
      ...connectionsOf(server),
      [orderWords(server, report.time), server.cause].filter(Boolean).join('; '),
    ]),
  ]);
  const names = header('SERVER', 'STATE', 'WEIGHT', 'ACTIVE', 'INACTIVE', 'WHY');
  return [
    heading('Virtual servers') + silence(report, 'check'),
    ...aligned([names, ...rows], '  '),
    ...problems.map((text) => paint('red', `  ${text}`)),
    ...foreignLines(foreign, foreignCount),
  ];
}

/** Nobody counted them, where the check process did not answer in time. */
const connectionsOf = ({ connections }: ServerReport): string[] =>
  connections === undefined ? ['-', '-'] : [String(connections.active), String(connections.inactive)];

function sumOf(servers: readonly ServerReport[]): string[] {
  const counted = servers.flatMap(({ connections }) => connections ?? []);
  if (counted.length === 0) return ['', ''];
  return [
    String(counted.reduce((sum, { active }) => sum + active, 0)),
    String(counted.reduce((sum, { inactive }) => sum + inactive, 0)),
  ];
}

/** Services that somebody else made: they are left alone. */
function foreignLines(foreign: CheckReport['foreign'], count: number): string[] {
  if (count === 0) return [];
  const rows = foreign.map(({ name, scheduler }) => [name, scheduler]);
  const more = count - foreign.length;
  return [
    '',
    `${heading('Foreign services')}  in the kernel's table, not of this configuration: left alone`,
    ...aligned([header('SERVICE', 'SCHEDULER'), ...rows], '  '),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function processLines(processes: readonly ProcessReport[]): string[] {
  const rows = processes.map(({ role, pid, restarts, silent, stopped, dropped, refused }) => [
    role,
    pid === null ? paint('red', 'waits for its restart') : String(pid),
    [
      ...(stopped === true ? [paint('red', 'stopped')] : []),
      ...(silent === null ? [] : [paint('red', `silent for ${lasting(silent)}`)]),
      ...(restarts === 0
        ? []
        : [paint('yellow', `restarted ${restarts === 1 ? 'once' : `${restarts} times`}`)]),
      ...(dropped === 0 ? [] : [paint('yellow', `${counted(dropped, 'message')} not read`)]),
      ...(refused === 0 ? [] : [paint('red', `${counted(refused, 'message')} refused`)]),
    ].join(', '),
  ]);
  return [heading('Processes'), ...aligned(rows, '  ')];
}

function watchdogLine({ device, state, timeout, why }: NonNullable<VrrpReport['watchdog']>): string {
  const length = `resets this host after ${timeout} s without food`;
  if (state === 'fed') return `${heading('Watchdog')}  ${device} ${length}`;
  const word = state === 'closed' ? 'does not watch' : `is not fed, and ${length}`;
  return `${heading('Watchdog')}  ${device} ${paint('red', `${word}: ${why}`)}`;
}
