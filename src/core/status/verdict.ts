import type { RouterReport, ServiceReport, StatusReport } from './report.ts';

/** The statuses of monitoring plugins (the Monitoring Plugins Development Guidelines, "Plugin Return Codes"). */
export const STATUSES = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;
export type StatusWord = keyof typeof STATUSES;

export interface Verdict {
  readonly word: StatusWord;
  /** What is wrong, the gravest first; how it is when nothing is. */
  readonly reasons: readonly string[];
}

/** More routers than this are only counted. */
const MAX_NAMED = 4;
const ROUTER_STATES = ['MASTER', 'BACKUP', 'FAULT', 'INIT'] as const;

type Complaint = readonly [word: Exclude<StatusWord, 'OK'>, reason: string];

/** The gravest first. */
const GRAVITY: readonly StatusWord[] = ['CRITICAL', 'WARNING', 'UNKNOWN', 'OK'];

/**
 * What monitoring should think of the daemon. CRITICAL: nobody may serve, or two do. WARNING: it serves, and somebody
 * should look. That another director is master is as it should be.
 */
export function verdict(report: StatusReport): Verdict {
  const complaints = [
    ...daemonComplaints(report),
    ...(report.vrrp?.instances ?? []).flatMap((router) => routerComplaints(router, report)),
    ...(report.vrrp?.bfd ?? [])
      .filter(({ state, reachable }) => state !== 'Up' && !reachable)
      .map(({ name, cause }): Complaint => ['WARNING', `BFD ${name}: ${cause}`]),
    ...(report.check?.problems ?? []).map((problem): Complaint => ['CRITICAL', problem]),
    ...(report.check?.services ?? []).flatMap(serviceComplaints),
  ];
  const word = GRAVITY.find((each) => complaints.some(([found]) => found === each)) ?? 'OK';
  const sorted = GRAVITY.flatMap((each) => complaints.filter(([found]) => found === each));
  return { word, reasons: sorted.length === 0 ? allIsWell(report) : sorted.map(([, reason]) => reason) };
}

/** The one line of a plugin, with its performance data. */
export function verdictLine({ word, reasons }: Verdict, report: StatusReport | undefined): string {
  // A bar begins the performance data.
  const text = reasons.join('; ').replaceAll('|', '/').replaceAll('\n', ' ');
  const counts = report === undefined ? '' : ` | ${measures(report)}`;
  return `VIPKEEPER ${word} - ${text}${counts}`;
}

function daemonComplaints({ running, maintenance, troubles, processes }: StatusReport): Complaint[] {
  if (!running) {
    const alive = processes.map(({ role, pid }) => `${role} ${pid}`).join(', ');
    return [['CRITICAL', `vipkeeperd does not run, but processes of it do: ${alive}`]];
  }
  return [
    ...(maintenance ? ([['WARNING', 'maintenance: this director holds no virtual address']] as const) : []),
    ...troubles.map((trouble): Complaint => ['WARNING', trouble]),
    ...processes.flatMap(({ role, pid, silent }): Complaint[] => {
      if (pid === null) return [['CRITICAL', `the ${role} process waits for its restart`]];
      return silent === null
        ? []
        : [['CRITICAL', `the ${role} process says nothing for ${Math.floor(silent)} s`]];
    }),
  ];
}

function routerComplaints(router: RouterReport, { maintenance }: StatusReport): Complaint[] {
  const { name, state, cause, addresses, otherMasters } = router;
  if (state === null) return [];
  const claims = otherMasters.map(
    ({ address, why }): Complaint => ['CRITICAL', `${address} also claims ${name} (${why})`],
  );
  if (state === 'FAULT') return maintenance ? [] : [['CRITICAL', `${name} is in FAULT: ${cause}`]];
  if (state === 'INIT') return [['WARNING', `${name} has not begun: ${cause}`]];
  const gone = addresses.filter(({ present }) => present === false).map(({ address }) => address);
  if (state !== 'MASTER' || gone.length === 0) return claims;
  return [...claims, ['CRITICAL', `${name} is master, and the kernel does not have ${gone.join(', ')}`]];
}

function serviceComplaints({ name, quorum, sorry, suspended, servers }: ServiceReport): Complaint[] {
  if (suspended) return [];
  const down = servers.filter(({ up }) => !up).map((server) => server.name);
  const which = down.length === 0 ? '' : `, down: ${down.join(', ')}`;
  if (!quorum)
    return [['CRITICAL', `${name} has no quorum${sorry ? ', its sorry server serves' : ''}${which}`]];
  return down.length === 0
    ? []
    : [['WARNING', `${name}: ${down.length} of ${servers.length} down: ${down.join(', ')}`]];
}

function allIsWell({ vrrp, check }: StatusReport): string[] {
  const instances = vrrp?.instances ?? [];
  const counted = ROUTER_STATES.map((state) => [
    instances.filter((each) => each.state === state).length,
    state,
  ]);
  const routers =
    instances.length <= MAX_NAMED
      ? instances.map(({ name, state }) => `${name} ${state}`)
      : counted.filter(([count]) => count !== 0).map(([count, state]) => `${count} ${state}`);
  const servers = (check?.services ?? []).flatMap((service) => service.servers);
  const drained = servers.filter(({ drain }) => drain !== undefined).length;
  const aside = drained === 0 ? '' : `, ${drained} of them drained`;
  return [
    ...(routers.length === 0 ? [] : [routers.join(', ')]),
    ...(check === null ? [] : [`${servers.length} real servers up${aside}`]),
  ];
}

function measures({ vrrp, check }: StatusReport): string {
  const routers = vrrp?.instances ?? [];
  const servers = (check?.services ?? []).flatMap((service) => service.servers);
  const up = servers.filter((server) => server.up).length;
  const active = servers.reduce((sum, { connections }) => sum + (connections?.active ?? 0), 0);
  return [
    `routers=${routers.length} masters=${routers.filter(({ state }) => state === 'MASTER').length}`,
    ...(check === null ? [] : [`servers=${servers.length} servers_up=${up} connections=${active}`]),
  ].join(' ');
}
