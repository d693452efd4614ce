import type { Recorded } from '../../core/record/machines.ts';
import type { Balancer } from '../../core/serving/balancer.ts';
import { type Instant, since, toMillis, toSeconds } from '../../core/time.ts';
import type { VrrpGroup } from '../../core/vrrp/group.ts';
import type { VrrpInstance } from '../../core/vrrp/instance.ts';
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
  const due = machine.deadline();
  if (kind === 'balancer') return balancerLines(machine as unknown as Balancer, at);
  return due === undefined ? [] : [`  next deadline ${clock(due)}`];
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
