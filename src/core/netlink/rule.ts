import { fromHex, Reader, toHex, Writer } from '../bytes.ts';
import { type Family, familyBits, formatPrefix, type Ip, ip, ipToBytes, type Prefix } from '../ip.ts';
import { familyFromNumber, familyNumber, readIp } from './address.ts';
import { Attributes, BodyWriter, FLAG, type Message, type Request } from './message.ts';

/** Policy routing rules (include/uapi/linux/fib_rules.h). */

export const RULE_MESSAGE = { new: 32, delete: 33, get: 34 } as const;
export const RULE_ACTION = { table: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const;
export type RuleAction = keyof typeof RULE_ACTION;

const FRA = {
  dst: 1,
  src: 2,
  iif: 3,
  goto: 4,
  priority: 6,
  fwmark: 10,
  realms: 11,
  tunnelId: 12,
  suppressGroup: 13,
  suppressLength: 14,
  table: 15,
  fwmask: 16,
  oif: 17,
  l3mdev: 19,
  uids: 20,
  protocol: 21,
  ipProtocol: 22,
  sourcePorts: 23,
  destinationPorts: 24,
} as const;
const INVERT = 2;
/** The kernel's word for "all bits" of a mask and for "no suppressor". */
const ALL_ONES = 0xffffffff;
const HEADER_BYTES = 12;

/** Both ends belong to it. */
export type Range = readonly [number, number];

/** A rule: what packets it is for, and what becomes of them. */
export interface Rule {
  readonly family: Family;
  /** For all packets but those. */
  readonly invert?: true;
  readonly from?: Prefix;
  readonly to?: Prefix;
  readonly tos?: number;
  readonly iif?: string;
  readonly oif?: string;
  readonly fwmark?: number;
  /** The bits of the mark that count; all when absent. */
  readonly fwmask?: number;
  /** Source realm in the upper 16 bits, destination realm in the lower. */
  readonly realms?: number;
  /** 16 hexadecimal digits. */
  readonly tunnelId?: string;
  readonly uids?: Range;
  /** Number of the protocol above IP. */
  readonly ipProtocol?: number;
  readonly sourcePorts?: Range;
  readonly destinationPorts?: Range;
  readonly priority?: number;
  /** `table`, a lookup, when absent. */
  readonly action?: Exclude<RuleAction, 'table'>;
  /** 0 for other actions, and with `l3mdev`. */
  readonly table: number;
  /** The table is that of the interface's VRF. */
  readonly l3mdev?: true;
  readonly goto?: number;
  /** A route that is found with so short a prefix, or by an interface of that group, is ignored. */
  readonly suppressLength?: number;
  readonly suppressGroup?: number;
  /** Origin, as of routes. */
  readonly protocol?: number;
}

/** The rule as people name it. */
export function describeRule(rule: Rule): string {
  const parts = [
    rule.invert && 'not',
    rule.from && `from ${formatPrefix(rule.from)}`,
    rule.to && `to ${formatPrefix(rule.to)}`,
    rule.fwmark === undefined ? undefined : `fwmark ${rule.fwmark}`,
    rule.iif && `iif ${rule.iif}`,
    rule.priority === undefined ? undefined : `priority ${rule.priority}`,
  ];
  const end = rule.action ?? (rule.l3mdev ? 'l3mdev' : `lookup ${rule.table}`);
  return ['rule', ...parts.filter((part) => part !== undefined), end].join(' ');
}

function ruleBody(rule: Rule): Uint8Array {
  const body = new BodyWriter();
  body.fixed
    .u8(familyNumber(rule.family))
    .u8(rule.to?.length ?? 0)
    .u8(rule.from?.length ?? 0);
  body.fixed
    .u8(rule.tos ?? 0)
    .zeros(3)
    .u8(RULE_ACTION[rule.action ?? 'table']);
  body.fixed.u32host(rule.invert ? INVERT : 0);
  if (rule.to !== undefined && rule.to.length > 0) body.bytes(FRA.dst, ipToBytes(rule.to.ip));
  if (rule.from !== undefined && rule.from.length > 0) body.bytes(FRA.src, ipToBytes(rule.from.ip));
  for (const name of NUMBERS) {
    const value = rule[name];
    if (value !== undefined && (value !== 0 || name !== 'table')) body.u32(FRA[name], value);
  }
  if (rule.iif !== undefined) body.text(FRA.iif, rule.iif);
  if (rule.oif !== undefined) body.text(FRA.oif, rule.oif);
  if (rule.tunnelId !== undefined) body.bytes(FRA.tunnelId, fromHex(rule.tunnelId));
  if (rule.l3mdev) body.u8(FRA.l3mdev, 1);
  if (rule.uids !== undefined) {
    const [first, last] = rule.uids;
    body.bytes(FRA.uids, new Writer(8).u32host(first).u32host(last).finish());
  }
  if (rule.protocol !== undefined) body.u8(FRA.protocol, rule.protocol);
  if (rule.ipProtocol !== undefined) body.u8(FRA.ipProtocol, rule.ipProtocol);
  for (const name of ['sourcePorts', 'destinationPorts'] as const) {
    const range = rule[name];
    if (range !== undefined) {
      body.bytes(FRA[name], new Writer(4).u16host(range[0]).u16host(range[1]).finish());
    }
  }
  return body.finish();
}

/** What is a number of 32 bits. */
const NUMBERS = [
  'fwmark',
  'fwmask',
  'realms',
  'suppressGroup',
  'suppressLength',
  'priority',
  'goto',
  'table',
] as const;

/** Adds a rule; errno 17 (EEXIST) when there is the same one, of whatever origin. */
export function addRule(rule: Rule): Request {
  const flags = FLAG.create | FLAG.exclusive;
  return { type: RULE_MESSAGE.new, flags, body: ruleBody(rule), asked: `add ${describeRule(rule)}` };
}

/** Removes the first rule that has all that `rule` says; errno 2 (ENOENT) when there is none. */
export function deleteRule(rule: Rule): Request {
  return { type: RULE_MESSAGE.delete, flags: 0, body: ruleBody(rule), asked: `remove ${describeRule(rule)}` };
}

/** A dump of the rules of a family. */
export function dumpRules(family: Family): Request {
  const body = new BodyWriter();
  body.fixed.u8(familyNumber(family)).zeros(HEADER_BYTES - 1);
  return { type: RULE_MESSAGE.get, flags: 0, body: body.finish(), asked: 'list rules' };
}

const ACTIONS: ReadonlyMap<number, RuleAction> = new Map(
  Object.entries(RULE_ACTION).map(([name, number]) => [number, name as RuleAction]),
);

/** The rule of a NEWRULE or DELRULE; `undefined` for actions that are none of RULE_ACTION. */
export function decodeRule(message: Message): Rule | undefined {
  if (message.type !== RULE_MESSAGE.new && message.type !== RULE_MESSAGE.delete) return undefined;
  if (message.body.length < HEADER_BYTES) return undefined;
  const reader = new Reader(message.body);
  const family = familyFromNumber(reader.u8());
  const toLength = reader.u8();
  const fromLength = reader.u8();
  const tos = reader.u8();
  const table = reader.u8();
  reader.skip(2);
  const action = ACTIONS.get(reader.u8());
  const invert = (reader.u32host() & INVERT) !== 0;
  if (family === undefined || action === undefined) return undefined;
  if (Math.max(toLength, fromLength) > familyBits(family)) return undefined;
  const attributes = Attributes.of(message.body, HEADER_BYTES);
  const to = prefixOf(readIp(attributes.bytes(FRA.dst), family), toLength, family);
  const from = prefixOf(readIp(attributes.bytes(FRA.src), family), fromLength, family);
  return {
    family,
    ...(invert && { invert }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(tos !== 0 && { tos }),
    ...readNumbers(attributes),
    ...readRest(attributes),
    table: attributes.u32(FRA.table) ?? table,
    ...(action !== 'table' && { action }),
  };
}

/** The kernel sends masks and suppressors that were never set as all ones. */
function readNumbers(attributes: Attributes): Partial<Rule> {
  const found: { -readonly [K in (typeof NUMBERS)[number]]?: number } = {};
  for (const name of NUMBERS) {
    const value = attributes.u32(FRA[name]);
    const unset = value === ALL_ONES && (name === 'fwmask' || name.startsWith('suppress'));
    if (value !== undefined && !unset) found[name] = value;
  }
  return found;
}

function readRest(attributes: Attributes): Partial<Rule> {
  const iif = attributes.text(FRA.iif);
  const oif = attributes.text(FRA.oif);
  const tunnelId = attributes.bytes(FRA.tunnelId);
  const uids = readRange(attributes.bytes(FRA.uids), 4);
  const protocol = attributes.u8(FRA.protocol);
  const ipProtocol = attributes.u8(FRA.ipProtocol);
  const sourcePorts = readRange(attributes.bytes(FRA.sourcePorts), 2);
  const destinationPorts = readRange(attributes.bytes(FRA.destinationPorts), 2);
  return {
    ...(iif !== undefined && { iif }),
    ...(oif !== undefined && { oif }),
    ...(tunnelId?.length === 8 && { tunnelId: toHex(tunnelId) }),
    ...(attributes.u8(FRA.l3mdev) === 1 && { l3mdev: true }),
    ...(uids !== undefined && { uids }),
    ...(protocol !== undefined && { protocol }),
    ...(ipProtocol !== undefined && { ipProtocol }),
    ...(sourcePorts !== undefined && { sourcePorts }),
    ...(destinationPorts !== undefined && { destinationPorts }),
  };
}

function readRange(bytes: Uint8Array | undefined, size: 2 | 4): Range | undefined {
  if (bytes === undefined || bytes.length < 2 * size) return undefined;
  const reader = new Reader(bytes);
  return size === 2 ? [reader.u16host(), reader.u16host()] : [reader.u32host(), reader.u32host()];
}

/** The kernel leaves a prefix of length 0 out altogether. */
function prefixOf(address: Ip | undefined, length: number, family: Family): Prefix | undefined {
  if (address !== undefined) return { ip: address, length };
  return length === 0 ? undefined : { ip: ip(family === 4 ? '0.0.0.0' : '::'), length };
}
