import { type ServiceKey, serviceName } from './balance/model.ts';
import type { Configuration } from './config/model.ts';
import { HIDDEN } from './config/secrets.ts';
import { endpointName, formatPrefix, type Ip } from './ip.ts';
import type { NotifySettings } from './notify/settings.ts';
import { deviceOf } from './reconcile/vmac-wants.ts';
import type { BalancerStatus, ServiceStatus } from './serving/balancer.ts';
import type { VirtualServerSettings } from './serving/settings.ts';
import { type Duration, type Instant, toSeconds } from './time.ts';
import type { VrrpStatus } from './vrrp/events.ts';
import type { VirtualAddress, VrrpSettings } from './vrrp/settings.ts';

/**
 * `keepalived.data` and `keepalived_check.data` (SIGUSR1), line for line in keepalived's words (2.2.7), for programs
 * and people that look for them there. What has no counterpart here is left out; passwords are hidden, which keepalived
 * prints.
 */

export interface DataState {
  readonly instances: readonly VrrpStatus[];
  readonly groups: readonly { readonly name: string; readonly state: string }[];
  /** By the script's name: its verdict, where there is one, and whether it runs now. */
  readonly scripts: ReadonlyMap<string, ScriptState>;
  readonly check: BalancerStatus | null;
  /** Seconds since 1970 of an instant. */
  readonly wall: (instant: Instant) => number;
  /** As ctime(3) writes them, without the end of the line. */
  readonly ctime: (seconds: number) => string;
}

export interface ScriptState {
  readonly good: boolean | undefined;
  readonly running: boolean;
}

const GROUP = { 4: '224.0.0.18', 6: 'ff02::12' } as const;
const SCOPES: Readonly<Record<number, string>> = {
  0: 'global',
  200: 'site',
  253: 'link',
  254: 'host',
  255: 'nowhere',
};

const head = (title: string): string => `------< ${title} >------`;
const onOff = (on: boolean): string => (on ? 'enabled' : 'disabled');
const yesNo = (yes: boolean): string => (yes ? 'yes' : 'no');
const micros = (duration: Duration): string => `${Math.round(toSeconds(duration) * 1e6)} usecs`;

/** `keepalived.data`: what VRRP does. */
export function vrrpDataText(configuration: Configuration, state: DataState): string {
  const { instances, groups, scripts } = configuration;
  const lines = [
    ...globalLines(configuration),
    head('VRRP Topology'),
    ...instances.flatMap((settings) => instanceLines(settings, configuration, state)),
    ...(groups.length > 0 ? [head('VRRP Sync groups')] : []),
    ...groups.flatMap(({ name, members }) => [
      ` VRRP Sync Group = ${name}, ${state.groups.find((group) => group.name === name)?.state ?? 'INIT'}`,
      '   VRRP member instances :',
      ...members.map((member) => `     ${member}`),
    ]),
    ...(scripts.length > 0 ? [head('VRRP Scripts')] : []),
    ...scripts.flatMap((script) => scriptLines(script, configuration, state)),
  ];
  return `${lines.join('\n')}\n`;
}

function globalLines({ global, instances }: Configuration): string[] {
  return [
    head('Global definitions'),
    ...(global.routerId === undefined ? [] : [` Router ID = ${global.routerId}`]),
    ` VRRP IPv4 mcast group = ${groupOf(instances, 4)}`,
    ` VRRP IPv6 mcast group = ${groupOf(instances, 6)}`,
  ];
}

const groupOf = (instances: readonly VrrpSettings[], family: 4 | 6): string =>
  instances.find((each) => each.family === family && each.destination !== undefined)?.destination ??
  GROUP[family];

function instanceLines(settings: VrrpSettings, configuration: Configuration, state: DataState): string[] {
  const { name, announce, version, advertInterval, peers = [] } = settings;
  const status = state.instances.find((each) => each.name === name);
  const told = configuration.notify.subjects.find((s) => s.of === 'instance' && s.name === name);
  const group = configuration.groups.find(({ members }) => members.includes(name));
  const now = status?.state ?? 'INIT';
  const interval = toSeconds(advertInterval);
  return [
    ` VRRP Instance = ${name}`,
    `   VRRP Version = ${version}`,
    ...(settings.family === 6 ? ['   Using Native IPv6'] : []),
    ...(group === undefined ? [] : [`   Sync group = ${group.name}`]),
    `   State = ${now}`,
    `   Wantstate = ${now}`,
    `   Number of config faults = 0`,
    `   Number of interface and track script faults = ${status?.faults.length ?? 0}`,
    ...(status === undefined ? [] : [`   Last transition = ${timeText(status.since, state)}`]),
    ...(status?.deadline === undefined ? [] : [`   Read timeout = ${timeText(status.deadline, state)}`]),
    `   Master down timer = ${micros(downTime(settings, status))}`,
    `   Interface = ${settings.interface}`,
    ...(status?.source === undefined ? [] : [`   Using src_ip = ${status.source}`]),
    ...(peers.length > 0
      ? ['   Unicast Peer :', ...peers.map(({ address }) => `     ${address}`)]
      : [`   Multicast address ${settings.destination ?? GROUP[settings.family]}`]),
    `   Gratuitous ARP delay = ${toSeconds(announce.delay)}`,
    `   Gratuitous ARP repeat = ${announce.repeat}`,
    `   Gratuitous ARP refresh = ${toSeconds(announce.refresh)}`,
    `   Gratuitous ARP refresh repeat = ${announce.refreshRepeat}`,
    `   Gratuitous ARP lower priority delay = ${toSeconds(announce.lowerDelay ?? announce.delay)}`,
    `   Gratuitous ARP lower priority repeat = ${announce.lowerRepeat ?? announce.repeat}`,
    `   Down timer adverts = ${settings.downAdverts}`,
    `   Send advert after receive lower priority advert = ${!settings.quietToLower}`,
    `   Send advert after receive higher priority advert = ${settings.answerHigher !== false}`,
    `   Virtual Router ID = ${settings.vrid}`,
    `   Priority = ${settings.priority}`,
    `   Effective priority = ${status?.priority ?? settings.priority}`,
    `   Total priority = ${status?.priority ?? settings.priority}`,
    `   Advert interval = ${version === 2 ? `${interval} sec` : `${Math.round(interval * 1000)} milli-sec`}`,
    ...masterLines(status),
    `   Accept = ${onOff(settings.noAccept !== true)}`,
    `   Preempt = ${onOff(settings.preempt)}`,
    ...(settings.preemptDelay === undefined
      ? []
      : [`   Preempt delay = ${toSeconds(settings.preemptDelay)} secs`]),
    `   Promote_secondaries = ${onOff(settings.promoteSecondaries === true)}`,
    ...authenticationLines(settings),
    ...addressLines('Virtual IP', settings.addresses, settings, now === 'MASTER'),
    ...addressLines('Virtual IP Excluded', settings.excluded, settings, now === 'MASTER'),
    ...trackedLines(settings, 'script', 'Tracked scripts'),
    ...trackedLines(settings, 'interface', 'Tracked interfaces'),
    ...trackedLines(settings, 'file', 'Tracked files'),
    `   Using smtp notification = ${yesNo(told?.mail === true)}`,
    ...notifyLines(told),
  ];
}

/** Until a silent master is held to be gone. */
function downTime(
  { advertInterval, downAdverts, priority, version }: VrrpSettings,
  status?: VrrpStatus,
): Duration {
  const interval = status?.state === 'BACKUP' ? (status.master?.interval ?? advertInterval) : advertInterval;
  const skew = (256 - (status?.priority ?? priority)) / 256;
  return (downAdverts * interval + skew * (version === 2 ? 1e6 : interval)) as Duration;
}

const timeText = (at: Instant, { wall, ctime }: DataState): string => {
  const seconds = wall(at);
  return `${seconds.toFixed(6)} (${ctime(seconds)})`;
};

const masterLines = (status: VrrpStatus | undefined): string[] =>
  status?.state !== 'BACKUP' || status.master === undefined
    ? []
    : [`   Master router = ${status.master.address}`, `   Master priority = ${status.master.priority}`];

function authenticationLines({ password, ah, hmac, version }: VrrpSettings): string[] {
  if (hmac !== undefined) return ['   Authentication extension = HMAC-SHA-256'];
  if ((password ?? ah) === undefined) return version === 2 ? ['   Authentication type = none'] : [];
  const type = password === undefined ? 'IPSEC_AH' : 'SIMPLE_PASSWORD';
  return [`   Authentication type = ${type}`, `   Password = ${HIDDEN}`];
}

function addressLines(
  title: string,
  list: readonly VirtualAddress[],
  settings: VrrpSettings,
  set: boolean,
): string[] {
  if (list.length === 0) return [];
  return [
    `   ${title} (${list.length}):`,
    ...list.map((virtual) => {
      const { ip, length } = virtual.address;
      const text = length === (ip.includes(':') ? 128 : 32) ? ip : formatPrefix(virtual.address);
      const scope = SCOPES[virtual.scope] ?? virtual.scope;
      return `     ${text} dev ${deviceOf(virtual, settings)} scope ${scope}${set ? ' set' : ''}`;
    }),
  ];
}

function trackedLines({ track = [] }: VrrpSettings, kind: string, title: string): string[] {
  const found = track.filter((each) => each.kind === kind);
  if (found.length === 0) return [];
  return [
    `   ${title} :`,
    ...found.map(({ name, weight, reverse }) => `     ${name} weight ${weight}${reverse ? ' reverse' : ''}`),
  ];
}

const EVENTS = { backup: 'Backup', master: 'Master', fault: 'Fault', stop: 'Stop', any: 'Generic' } as const;

function notifyLines(told: NotifySettings | undefined): string[] {
  return Object.entries(EVENTS).flatMap(([event, word]) => {
    const script = told?.scripts[event as keyof typeof EVENTS];
    if (script === undefined) return [];
    const { uid = 0, gid = 0 } = script.user ?? {};
    return [`   ${word} state transition script = ${quoted(script.command)}, uid:gid ${uid}:${gid}`];
  });
}

const quoted = (command: readonly string[]): string => command.map((word) => `'${word}'`).join(' ');

function scriptLines(
  { name, command, interval, timeout, rise, fall, user }: Configuration['scripts'][number],
  { instances }: Configuration,
  { scripts }: DataState,
): string[] {
  const { good, running } = scripts.get(name) ?? { good: undefined, running: false };
  const tracking = instances.flatMap(({ name: router, track = [] }) =>
    track.flatMap((each) =>
      each.kind === 'script' && each.name === name ? [`     ${router}, weight ${each.weight}`] : [],
    ),
  );
  return [
    ` VRRP Script = ${name}`,
    `   Command = ${quoted(command)}`,
    `   Interval = ${toSeconds(interval)} sec`,
    `   Timeout = ${toSeconds(timeout)} sec`,
    `   Rise = ${rise}`,
    `   Fall = ${fall}`,
    `   Status = ${good === undefined ? 'INIT' : good ? 'GOOD' : 'BAD'}`,
    `   Script uid:gid = ${user?.uid ?? 0}:${user?.gid ?? 0}`,
    '   Tracking instances :',
    ...tracking,
    `   State = ${running ? 'running' : 'idle'}`,
  ];
}

/** `keepalived_check.data`: what the checks see. */
export function checkDataText(configuration: Configuration, state: DataState): string {
  const lines = [
    ...globalLines(configuration),
    head('LVS Topology'),
    ...configuration.virtualServers.flatMap((server) => virtualServerLines(server, state.check)),
  ];
  return `${lines.join('\n')}\n`;
}

function virtualServerLines(server: VirtualServerSettings, check: BalancerStatus | null): string[] {
  const [first] = server.services;
  const names = server.services.map(({ key }) => serviceName(key));
  const status = check?.services.find(({ endpoints }) => endpoints.some((each) => names.includes(each)));
  const [real] = server.realServers;
  return [
    ` ${head('Virtual server')}`,
    ...server.services.map(({ key }) => ` VS ${keyText(key)}`),
    `   lvs_sched = ${first?.scheduler ?? 'none'}`,
    ...(first?.key.kind === 'address' ? [`   protocol = ${first.key.protocol.toUpperCase()}`] : []),
    `   quorum = ${server.quorum}, hysteresis = ${server.hysteresis}`,
    `   default forwarding method = ${methodText(real?.destination.method)}`,
    ...(server.sorry === undefined
      ? []
      : [`   sorry server = ${endpointName(server.sorry.address, server.sorry.port)}`]),
    `   alive = ${Number(status?.servers.some(({ up }) => up) ?? false)}`,
    `   quorum_state_up = ${Number(status?.quorum ?? false)}`,
    ...server.realServers.flatMap((each) => realServerLines(each, status)),
  ];
}

function realServerLines(
  { destination, inhibit }: VirtualServerSettings['realServers'][number],
  status: ServiceStatus | undefined,
): string[] {
  const { address, port, weight, upper, lower, method } = destination;
  const found = status?.servers.find(({ name }) => name === endpointName(address, port));
  return [
    `   ${head('Real server')}`,
    `   RIP = ${address}, RPORT = ${port}, WEIGHT = ${weight} EFF WEIGHT = ${found?.weight ?? weight}`,
    `   forwarding method = ${methodText(method)}`,
    `   connection limit range = ${lower} -> ${upper}`,
    `   Inhibit on failure is ${inhibit ? 'ON' : 'OFF'}`,
    `   initial weight = ${weight}`,
    `   effective weight = ${found?.weight ?? weight}`,
    `   alive = ${Number(found?.up ?? false)}`,
  ];
}

const methodText = (method = 'nat'): string => method.toUpperCase();
const keyText = (key: ServiceKey): string =>
  key.kind === 'fwmark' ? `FWMARK = ${key.mark}` : `VIP = ${key.address as Ip}, VPORT = ${key.port}`;
