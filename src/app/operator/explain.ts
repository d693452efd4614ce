import {
  absence,
  find,
  isNothing,
  type PlacedServer,
  placedServers,
  whyNothing,
} from '../../core/status/find.ts';
import type { CheckSeen, RouterReport, StatusReport } from '../../core/status/report.ts';
import type { VotesReport } from '../../core/status/votes.ts';
import type { Command } from '../../io/arguments.ts';
import { aligned, lasting, paint } from '../../io/screen.ts';
import { historyLine } from '../fencelines.ts';
import { lengthOf, orderWords } from '../standing.ts';
import { decisionLines } from '../takeoverlines.ts';
import { claimLine } from '../votelines.ts';
import { type CommonOptions, fail } from './ask.ts';
import { look } from './look.ts';

export function addExplain(program: Command): void {
  program
    .command('explain [name]')
    .description(
      'why a real server is up or down, since when, and what its checks saw; why a virtual router is what it is; ' +
        'none: all that are not as they should be',
    )
    .option('--json', 'as data')
    .action(async (name: string | undefined, _options, self: Command) => {
      const options: CommonOptions = self.optsWithGlobals();
      const report = await look(options);
      const found = explained(report, name);
      if (name !== undefined && isNothing(find(report, name))) fail(whyNothing(report, name));
      const { schema, time } = report;
      const text = options.json
        ? JSON.stringify({ schema, time, ...found }, null, 2)
        : explainLines(found, report).join('\n');
      process.stdout.write(`${text}\n`);
    });
}

export interface Explained {
  readonly routers: readonly RouterReport[];
  readonly servers: readonly PlacedServer[];
}

/** What has that name; without one what is not as it should be: routers that can not serve, servers that are down. */
export function explained(report: StatusReport, name: string | undefined): Explained {
  if (name !== undefined) {
    const { routers, services, servers } = find(report, name);
    return { routers, servers: [...services.flatMap(placedServers), ...servers] };
  }
  return {
    routers: (report.vrrp?.instances ?? []).filter(({ state }) => state === 'FAULT' || state === null),
    servers: (report.check?.services ?? []).flatMap(placedServers).filter(({ up }) => !up),
  };
}

const header = (...names: string[]): string[] => names.map((name) => paint('gray', name));
const upDown = (up: boolean): string => (up ? paint('green', 'up') : paint('red', 'down'));

export function explainLines({ routers, servers }: Explained, report: StatusReport): string[] {
  const { time, vrrp, check, fencing } = report;
  const fences = (fencing?.history ?? []).map((record) => `  ${historyLine(record, time)}`);
  const parts = [
    ...routers.map((router) => {
      const claim = claimOf(router, vrrp?.votes);
      return [...routerLines(router, time, claim), ...(claim === undefined ? [] : fences)];
    }),
    ...servers.map((server) => serverLines(server, time)),
  ];
  if (parts.length > 0) return parts.flatMap((lines, i) => [...(i > 0 ? [''] : []), ...lines]);
  return [
    check === null ? absence('check') : 'all real servers are up',
    ...(vrrp === null || vrrp.instances.length === 0 ? [] : ['all virtual routers can serve']),
  ];
}

const ROUTER_STYLE = { MASTER: 'green', BACKUP: 'cyan', FAULT: 'red', INIT: 'gray' } as const;

type Claim = VotesReport['claims'][number];

/** What its votes are for: its sync group, or the router itself. */
const claimOf = ({ name, group }: RouterReport, votes: VotesReport | null | undefined): Claim | undefined =>
  votes?.claims.find((claim) => (claim.of === 'group' ? claim.name === group : claim.name === name));

function routerLines(router: RouterReport, time: string, claim: Claim | undefined): string[] {
  const { name, state, since, cause, priority, configuredPriority, master, addresses, faults, otherMasters } =
    router;
  const { interface: device, vrid, version } = router;
  const word = state === null ? paint('red', 'unknown') : paint(ROUTER_STYLE[state], state);
  const long = since === null ? '' : ` for ${lasting(lengthOf(since, time))}`;
  const tracked =
    priority === configuredPriority
      ? ''
      : `, ${configuredPriority} in the configuration: what it tracks counts`;
  const heard =
    state === 'BACKUP' && master !== null
      ? [
          `  follows ${master.address} (priority ${master.priority}), ` +
            `heard ${lasting(lengthOf(master.heard, time))} ago`,
        ]
      : [];
  const listed = addresses.map(({ address, interface: on, present }) => {
    const here = present === null ? '' : present ? paint('green', 'here') : paint('gray', 'not here');
    return [address, on, here];
  });
  return [
    `${paint('bold', name)}: ${word}${long}: ${cause}`,
    `  virtual router ${vrid} on ${device}, VRRPv${version}, priority ${priority}${tracked}`,
    ...heard,
    ...(claim === undefined ? [] : [`  ${claimLine(claim)}`]),
    ...otherMasters.map(({ address, why }) => paint('red', `  ${address} also claims ${name} (${why})`)),
    ...decisionLines(router.takeover, time),
    ...(faults.length > 1 ? faults.map((fault) => paint('red', `  ${fault}`)) : []),
    ...(listed.length === 0 ? [] : aligned(listed, '    ')),
  ];
}

function serverLines(server: PlacedServer, time: string): string[] {
  const { service, name, up, weight, cause, since, checks = [], connections } = server;
  const long = since === undefined ? '' : ` for ${lasting(lengthOf(since, time))}`;
  const order = orderWords(server, time);
  const carried =
    connections === undefined
      ? ''
      : `, ${connections.active} active and ${connections.inactive} inactive connections`;
  return [
    `${paint('bold', name)} of ${service}: ${upDown(up)}${long}, weight ${weight}${carried}`,
    ...(order === '' ? [] : [`  ${paint('yellow', order)}`]),
    `  ${checks.length === 0 ? 'nothing checks it' : cause}`,
    ...checks.flatMap((check) => ['', ...checkLines(check, time)]),
  ];
}

function checkLines(check: CheckSeen, time: string): string[] {
  const { up, since, failures, results, latencies } = check;
  const failing = failures > 0 ? `, ${failures} bad in a row` : '';
  const rows = results
    .toReversed()
    .map(({ verdict, reason, count, first, last }) => [
      lasting(lengthOf(last, time)),
      lasting(lengthOf(first, time)),
      String(count),
      verdict === 'good' ? paint('green', verdict) : paint(verdict === 'bad' ? 'red' : 'yellow', verdict),
      reason,
    ]);
  const table =
    rows.length === 0 ? [] : aligned([header('LAST', 'FIRST', 'TIMES', 'RESULT', 'WHY'), ...rows], '    ');
  return [
    `  ${check.check}: ${upDown(up)} for ${lasting(lengthOf(since, time))}${failing}`,
    ...(rows.length === 0 ? ['    not checked yet'] : table),
    ...latencyLines(latencies),
  ];
}

const BAR = 40;

/** How long good probes took: a line for each class that has any, and those between. */
function latencyLines(latencies: CheckSeen['latencies']): string[] {
  const first = latencies.findIndex(({ count }) => count > 0);
  if (first < 0) return [];
  const most = Math.max(...latencies.map(({ count }) => count));
  const rows = latencies
    .slice(first)
    .map(({ upTo, count }) => [
      upTo === null ? 'longer' : `to ${Math.round(upTo * 1e6) / 1e3} ms`,
      String(count),
      '#'.repeat(Math.ceil((BAR * count) / most)),
    ]);
  return aligned([header('LATENCY', 'TIMES'), ...rows], '    ');
}
