import type { BfdSession } from '../../core/bfd/session.ts';
import type { Claims } from '../../core/fence/claims.ts';
import type { Addresses } from '../../core/reconcile/addresses.ts';
import type { Leases } from '../../core/reconcile/leases.ts';
import type { Routing } from '../../core/reconcile/routing.ts';
import { nameOf } from '../../core/reconcile/routing-item.ts';
import type { Recorded } from '../../core/record/machines.ts';
import type { Balancer } from '../../core/serving/balancer.ts';
import { type Duration, type Instant, instant, since, toMillis, toSeconds } from '../../core/time.ts';
import type { VrrpGroup } from '../../core/vrrp/group.ts';
import type { VrrpInstance } from '../../core/vrrp/instance.ts';
import type { LinkWatch } from '../../core/vrrp/links.ts';
import { aligned, lasting } from '../../io/screen.ts';

/** How a machine of a recording stood at an instant, in lines: its state, its timers, what it relied on. */
export function standingLines(
  kind: string,
  machine: Recorded,
  at: Instant,
  clock: (at: Instant) => string,
): string[] {
  if (kind === 'router') return routerLines(machine as unknown as VrrpInstance, at, clock);
  if (kind === 'group') return groupLines(machine as unknown as VrrpGroup);
  if (kind === 'balancer') return balancerLines(machine as unknown as Balancer, at);
  const due = machine.deadline();
  const timer = due === undefined ? [] : [`  next deadline ${clock(due)}`];
  if (kind === 'addresses') return [...addressLines(machine as unknown as Addresses, at), ...timer];
  if (kind === 'routing') return [...routingLines(machine as unknown as Routing), ...timer];
  if (kind === 'votes') return voteLines(machine as unknown as Claims, at, clock);
  if (kind === 'leases') return leaseLines(machine as unknown as Leases, clock);
  if (kind === 'bfd') return [...bfdLines(machine as unknown as BfdSession, at), ...timer];
  if (kind === 'links') return [...linkLines(machine as unknown as LinkWatch), ...timer];
  return timer;
}

/** What is held, for whom, and how long what the kernel has of it lasts. */
function addressLines(addresses: Addresses, at: Instant): string[] {
  const rows = addresses
    .memory()
    .entries.map(({ key, owners, covered, pending, problem }) => [
      key,
      owners.length === 0 ? 'going' : owners.join(', '),
      covered === undefined
        ? 'not installed'
        : covered.lease === 0
          ? 'installed'
          : `for ${toSeconds((covered.lease - since(at, covered.authority)) as Duration).toFixed(1)} s`,
      pending === undefined ? (problem ?? '') : `${pending.op} under way`,
    ]);
  return aligned(rows, '  ');
}

/** Who has voted for what is held or wanted, until when; to whom the own vote is promised; who is heard. */
function voteLines({ protection }: Claims, at: Instant, clock: (at: Instant) => string): string[] {
  if (protection === undefined) return [];
  const { authorities, voter } = protection.memory();
  const ends = (until: Instant | undefined): string =>
    until === undefined ? 'until it is released' : `until ${clock(until)}`;
  const rows = authorities.flatMap(({ claim, authority: { votes, end } }) => {
    const { state, votes: each } = protection.claim(claim, at);
    const until = Number.isFinite(end) ? instant(end) : undefined;
    return [
      [claim, state === 'holding' ? `held ${ends(until)}` : state],
      ...each.map(({ voter: name, why }) => [
        `  vote of ${name}`,
        why === 'promised' ? `promised ${ends(votes.get(name)?.until)}` : why,
      ]),
    ];
  });
  const given = Array.from(voter.given, ([claim, { director, until }]) => [
    `own vote for ${claim}`,
    until !== undefined && until <= at ? 'free' : `promised to ${director} ${ends(until)}`,
  ]);
  const peers = protection
    .peers(at)
    .map(({ name, silent }) => [
      name,
      silent === undefined ? 'not heard' : `heard ${toMillis(silent).toFixed(1)} ms before`,
    ]);
  return aligned([...rows, ...given, ...peers], '  ');
}

/** Until when packets for what each virtual router holds are answered. */
function leaseLines(leases: Leases, clock: (at: Instant) => string): string[] {
  const { owners, table, state } = leases.memory();
  if (table === undefined) return [];
  const rows = Array.from(owners, ([name, { good, until }]) => [
    name,
    good === undefined ? 'no lease' : `lease until ${clock(good)}`,
    until === undefined ? '' : `votes until ${clock(until)}`,
  ]);
  return aligned([[`table ${table}`, state], ...rows], '  ');
}

function routingLines(routing: Routing): string[] {
  const rows = routing
    .memory()
    .entries.map(({ item, owners, installed, pending, problem }) => [
      nameOf(item),
      owners.length === 0 ? 'going' : owners.join(', '),
      installed ? 'installed' : 'not installed',
      pending === undefined ? (problem ?? '') : `${pending} under way`,
    ]);
  return aligned(rows, '  ');
}

function bfdLines(session: BfdSession, at: Instant): string[] {
  const { state, since: entered, cause, neighborState = 'not heard' } = session.status();
  return aligned(
    [
      ['state', `${state} for ${lasting(toSeconds(since(at, entered)))}: ${cause}`],
      ['neighbour', neighborState],
    ],
    '  ',
  );
}

function linkLines(links: LinkWatch): string[] {
  const rows = links.memory().map(([name, { believed }]) => {
    const state = believed === undefined ? 'not seen' : believed.up ? 'up' : 'down';
    return [name, state, believed?.why ?? ''];
  });
  return aligned(rows, '  ');
}

function routerLines(router: VrrpInstance, at: Instant, clock: (at: Instant) => string): string[] {
  const { state, since: entered, cause, priority, faults, master } = router.status();
  const { timers } = router.memory().parts;
  const rows = [
    ['state', `${state} for ${lasting(toSeconds(since(at, entered)))}: ${cause}`],
    ['priority', String(priority)],
    ...faults.map((fault) => ['fault', fault]),
  ];
  if (state === 'MASTER') rows.push(['last advert', agoText(master?.heard, at)]);
  else if (master !== undefined)
    rows.push(['master', `${master.address} (${master.priority}), heard ${agoText(master.heard, at)}`]);
  for (const [name, due] of [...timers].sort(([, a], [, b]) => a - b))
    rows.push([`timer ${name}`, `in ${toMillis(since(due, at)).toFixed(1)} ms, at ${clock(due)}`]);
  return aligned(rows, '  ');
}

function balancerLines(balancer: Balancer, at: Instant): string[] {
  const { services, problems } = balancer.status([]);
  const rows = services.flatMap(({ name, quorum, sorry, servers }) => [
    [name, quorum ? 'quorum' : sorry ? 'sorry server serves' : 'no quorum', '', ''],
    ...servers.map((server) => [
      `  ${server.name}`,
      server.drain?.phase ?? (server.up ? 'up' : 'down'),
      `weight ${server.weight}`,
      `${server.since === undefined ? '' : `for ${lasting(toSeconds(since(at, server.since)))}: `}${server.cause}`,
    ]),
  ]);
  return [...aligned(rows, '  '), ...problems.map((problem) => `  ${problem}`)];
}

const agoText = (then: Instant | undefined, at: Instant): string =>
  then === undefined ? 'never' : `${toMillis(since(at, then)).toFixed(1)} ms before`;

function groupLines(group: VrrpGroup): string[] {
  const { members, state } = group.memory();
  const rows = Array.from(members, ([name, { standing }]) => [
    name,
    standing === undefined ? 'nothing heard of it' : standing.state,
    standing?.fault ?? standing?.candidate ?? '',
  ]);
  return [`  state ${state}`, ...aligned(rows, '  ')];
}
