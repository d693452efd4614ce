import { assert, unreachable } from '../assert.ts';
import type { Family, Ip } from '../ip.ts';
import type {
  IpvsDaemon,
  IpvsDestination,
  IpvsOperation,
  IpvsService,
  IpvsServiceKey,
  IpvsTimeouts,
} from '../netlink/ipvs.ts';
import { DAEMON_STATE, IP_PROTOCOL, METHOD, SERVICE_FLAG, TUNNEL_TYPE } from '../netlink/ipvs.ts';
import type { Command, Layout } from './command.ts';
import { dashHint } from './dashes.ts';
import { DEFAULT_PERSISTENCE_TEXT, Draft, SETTERS } from './draft.ts';
import { parseSchedulerFlags } from './flags.ts';
import { ipv4Granularity } from './netmask.ts';
import type { CommandName, Company, OptionName } from './options.ts';
import { COMPANY, OPTION_NAMES, SPELLINGS, TUNNEL_COMPANY, TUNNEL_OPTIONS } from './options.ts';
import { Refusal, UnknownHost } from './refusal.ts';
import type { NameSource } from './values.ts';
import { parseTimeout } from './values.ts';
import { OptionWalk, vocabularyOf } from './words.ts';

export type Parsed =
  | { readonly kind: 'command'; readonly command: Command }
  /** Print `text` and a line feed to stderr; `final` ends the program, else only this line of a `-R` input. */
  | { readonly kind: 'refused'; readonly text: string; readonly status: number; readonly final: boolean }
  /** Look the host's IPv4 address up and parse again. */
  | { readonly kind: 'lookup'; readonly host: string };

const VOCABULARY = vocabularyOf(SPELLINGS);
const DEFAULT_SCHEDULER = 'wlc';
const DEFAULT_DEVICE = 'eth0';

/** The hint for words that make no command; the line feed in it is ipvsadm's own. */
export const tryHelp = (program: string): string =>
  `Try \`${program} -h' or '${program} --help' for more information.`;

/**
 * What ipvsadm 1.31 understands by `words` (without the program's name): every check that it makes before it
 * talks to the kernel, in its order, with its texts and exit statuses.
 */
export function parseArguments(words: readonly string[], names: NameSource, program: string): Parsed {
  try {
    return { kind: 'command', command: parse(words, names, program) };
  } catch (error) {
    if (error instanceof UnknownHost) return { kind: 'lookup', host: error.host };
    if (!(error instanceof Refusal)) throw error;
    return { kind: 'refused', text: error.message, status: error.status, final: error.final };
  }
}

function parse(words: readonly string[], names: NameSource, program: string): Command {
  const walk = new OptionWalk(words, VOCABULARY);
  const first = walk.next();
  if (first.kind !== 'option') throw new Refusal(hinted(tryHelp(program), words), 255);
  if (first.key === 'help' || first.key === 'version') return { kind: first.key };
  if (!Object.hasOwn(COMPANY, first.key)) throw new Refusal(tryHelp(program), 255);
  const command = first.key as CommandName;
  const draft = new Draft();
  if (command === 'start-daemon' || command === 'stop-daemon') {
    draft.daemonState = parseRole(command, first.argument ?? '');
  }
  readOptions(walk, draft, names);
  const timeouts = command === 'set' ? readTimeouts(walk.operands) : undefined;
  const extra = walk.operands[0];
  if (extra !== undefined) throw new Refusal(hinted(`unexpected argument ${extra}`, [extra]));
  if (draft.scheduler === '') draft.scheduler = DEFAULT_SCHEDULER;
  if (draft.given.has('sched-flags')) {
    draft.flags |= parseSchedulerFlags(draft.schedulerFlags, draft.scheduler);
  }
  checkCompany(COMPANY[command], OPTION_NAMES, draft.given, `'${command}' command`);
  return commandOf(command, draft, timeouts);
}

/** ipvsadm's text, and below it what a wrong dash means. */
function hinted(text: string, words: readonly string[]): string {
  const hint = dashHint(words);
  return hint === undefined
    ? text
    : `${text}
${hint}`;
}

function readOptions(walk: OptionWalk, draft: Draft, names: NameSource): void {
  for (let step = walk.next(); step.kind !== 'end'; step = walk.next()) {
    if (step.kind === 'error') throw new Refusal(step.text, 255, false);
    const set = SETTERS[step.key];
    if (set === undefined) throw new Refusal(`invalid option \`${walk.last}'`);
    set(draft, step.argument ?? (step.key === 'persistent' ? DEFAULT_PERSISTENCE_TEXT : ''), names);
  }
}

function parseRole(command: 'start-daemon' | 'stop-daemon', text: string): number {
  if (text === 'master' || text === 'backup') return DAEMON_STATE[text];
  const complaint = command === 'start-daemon' ? 'start-daemon parameter' : 'start_daemon';
  throw new Refusal(`illegal ${complaint} specified`);
}

/** Takes the three values of `--set` from the front of `operands`. */
function readTimeouts(operands: string[]): IpvsTimeouts {
  const [tcp, tcpFin, udp] = operands.splice(0, 3);
  if (tcp === undefined || tcpFin === undefined || udp === undefined) {
    throw new Refusal('--set option requires 3 timeout values');
  }
  return { tcp: parseTimeout(tcp, 0), tcpFin: parseTimeout(tcpFin, 0), udp: parseTimeout(udp, 0) };
}

/** Throws for the first option, in the order of `among`, that is missing, forbidden or one too many. */
function checkCompany(
  company: Company,
  among: readonly OptionName[],
  given: ReadonlySet<OptionName>,
  what: string,
): void {
  let chosen: OptionName | undefined;
  for (const name of among) {
    const isRequired = company.required?.includes(name) ?? false;
    if (!given.has(name)) {
      if (isRequired) throw new Refusal(`You need to supply the '${name}' option for the ${what}`);
    } else if (company.exclusive?.includes(name)) {
      if (chosen !== undefined) {
        throw new Refusal(`The option '${name}' conflicts with the '${chosen}' option in the ${what}`);
      }
      chosen = name;
    } else if (!isRequired && !company.optional?.includes(name)) {
      throw new Refusal(`Illegal '${name}' option with the ${what}`);
    }
  }
}

function commandOf(name: CommandName, draft: Draft, timeouts: IpvsTimeouts | undefined): Command {
  switch (name) {
    case 'list':
      return listOf(draft);
    case 'save':
      return { kind: name, numeric: draft.given.has('numeric') };
    case 'restore':
      return { kind: name };
    default:
      return { kind: 'change', operation: operationOf(name, draft, timeouts ?? {}) };
  }
}

function operationOf(
  name: Exclude<CommandName, 'list' | 'save' | 'restore'>,
  draft: Draft,
  timeouts: IpvsTimeouts,
): IpvsOperation {
  switch (name) {
    case 'add-service':
    case 'edit-service':
      return { op: name, service: serviceOf(draft) };
    case 'delete-service':
      return { op: name, service: keyOf(draft) };
    case 'add-server':
      return { op: 'add-destination', service: keyOf(draft), destination: destinationOf(draft) };
    case 'edit-server':
      return { op: 'edit-destination', service: keyOf(draft), destination: destinationOf(draft) };
    case 'delete-server':
      return { op: 'delete-destination', service: keyOf(draft), destination: serverOf(draft) };
    case 'flush':
      return { op: name };
    case 'zero':
      return hasService(draft) ? { op: 'zero-service', service: keyOf(draft) } : { op: 'zero-all' };
    case 'start-daemon':
      return { op: name, daemon: daemonOf(draft) };
    case 'stop-daemon':
      return { op: name, state: draft.daemonState };
    case 'set':
      return { op: 'set-timeouts', timeouts };
    default:
      return unreachable(name);
  }
}

const hasService = (draft: Draft): boolean => draft.given.has('service-address');

function keyOf(draft: Draft): IpvsServiceKey {
  const { family = 4, protocol, address, port, mark } = draft;
  return mark !== 0 ? { family, fwmark: mark } : { family, protocol, address, port };
}

function serviceOf(draft: Draft): IpvsService {
  const { mark, port, protocol, scheduler, flags, timeout, engine } = draft;
  if (mark === 0 && port === 0 && (flags & SERVICE_FLAG.persistent) === 0) {
    throw new Refusal('Zero port specified for non-persistent service');
  }
  if ((flags & SERVICE_FLAG.onePacket) !== 0 && mark === 0 && protocol !== IP_PROTOCOL.udp) {
    throw new Refusal('One-Packet Scheduling is only for UDP virtual services');
  }
  const granularity = draft.family === 6 ? { prefixLength: draft.netmask } : ipv4Granularity(draft.netmask);
  return {
    key: keyOf(draft),
    scheduler,
    flags,
    timeout,
    ...granularity,
    ...(engine !== '' && { engine }),
  };
}

/** The server that `-r` named; the other options do not matter to what identifies it. */
function serverOf(draft: Draft): { readonly family: Family; readonly address: Ip; readonly port: number } {
  assert(draft.server !== undefined, 'the company of a server command requires -r');
  return draft.server;
}

function destinationOf(draft: Draft): IpvsDestination {
  const { address, port, family } = serverOf(draft);
  const { method, weight, upper, lower, given, tunnelType } = draft;
  const isTunnel = method === METHOD.tunnel;
  if (family !== draft.family && !isTunnel) {
    throw new Refusal('Different address family is allowed only for tunneling servers');
  }
  if (!isTunnel && TUNNEL_OPTIONS.some((name) => given.has(name))) {
    throw new Refusal('Tunnel options conflict with forward method');
  }
  checkCompany(TUNNEL_COMPANY[tunnelType], TUNNEL_OPTIONS, given, `'${tunnelType}' tunnel type`);
  // What is routed or tunnelled arrives with the port that it had, so the service's is the only one possible.
  const keepsPort = draft.mark === 0 && method !== METHOD.masquerade;
  const tunnel = { type: TUNNEL_TYPE[tunnelType], port: draft.tunnelPort, flags: draft.tunnelFlags };
  return {
    address,
    port: keepsPort ? draft.port : port,
    method,
    weight,
    upper,
    lower,
    ...(isTunnel && { tunnel }),
  };
}

function daemonOf(draft: Draft): IpvsDaemon {
  const { daemonState: state, device, syncId, maxLength, group, multicastPort, ttl } = draft;
  return {
    state,
    interface: device === '' ? DEFAULT_DEVICE : device,
    syncId,
    ...(maxLength !== undefined && { maxLength }),
    ...(group !== undefined && { group }),
    ...(multicastPort !== undefined && { port: multicastPort }),
    ...(ttl !== undefined && { ttl }),
  };
}

/** When several layouts are asked for, the first of these is shown. */
const LAYOUTS: readonly (readonly [OptionName, Layout])[] = [
  ['stats', 'stats'],
  ['rate', 'rate'],
  ['thresholds', 'thresholds'],
  ['persistent-conn', 'persistent'],
  ['tun-info', 'tunnel'],
];

function listOf(draft: Draft): Command {
  const { given } = draft;
  const has = (...names: OptionName[]): boolean => names.some((name) => given.has(name));
  if (
    (has('connection', 'timeout', 'daemon') && has('stats', 'rate', 'thresholds')) ||
    (has('timeout', 'daemon') && has('persistent-conn'))
  ) {
    throw new Refusal('options conflicts in the list command');
  }
  const [numeric, json] = [has('numeric'), has('json')];
  if (has('connection')) {
    return { kind: 'list-connections', numeric, engineData: has('persistent-conn'), json };
  }
  if (has('timeout')) return { kind: 'list-timeouts', json };
  if (has('daemon')) return { kind: 'list-daemons', json };
  const layout = LAYOUTS.find(([name]) => given.has(name))?.[1] ?? 'plain';
  const view = { layout, numeric, exact: has('exact'), sorted: !has('nosort'), json };
  return hasService(draft) ? { kind: 'list', view, service: keyOf(draft) } : { kind: 'list', view };
}
