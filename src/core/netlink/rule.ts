import { Reader } from '../bytes.ts';
import { type Family, familyBits, formatPrefix, type Ip, ip, ipToBytes, type Prefix } from '../ip.ts';
import { familyFromNumber, familyNumber, readIp } from './address.ts';
import { Attributes, BodyWriter, FLAG, type Message, type Request } from './message.ts';

/** Policy routing rules (include/uapi/linux/fib_rules.h). */

export const RULE_MESSAGE = { new: 32, delete: 33, get: 34 } as const;

const FRA = { dst: 1, src: 2, priority: 6, fwmark: 10, table: 15, protocol: 21 } as const;
const TO_TABLE = 1;
const HEADER_BYTES = 12;

/** A rule that looks a table up: `from F to T fwmark M lookup TABLE priority P`. */
export interface Rule {
  readonly family: Family;
  readonly from?: Prefix;
  readonly to?: Prefix;
  readonly fwmark?: number;
  readonly priority?: number;
  readonly table: number;
  /** Origin, as of routes. */
  readonly protocol?: number;
}

function describe(rule: Rule): string {
  const parts = [rule.from && `from ${formatPrefix(rule.from)}`, rule.to && `to ${formatPrefix(rule.to)}`];
  if (rule.fwmark !== undefined) parts.push(`fwmark ${rule.fwmark}`);
  if (rule.priority !== undefined) parts.push(`priority ${rule.priority}`);
  return ['rule', ...parts.filter((part) => part !== undefined), `lookup ${rule.table}`].join(' ');
}

function ruleBody(rule: Rule): Uint8Array {
  const body = new BodyWriter();
  body.fixed
    .u8(familyNumber(rule.family))
    .u8(rule.to?.length ?? 0)
    .u8(rule.from?.length ?? 0);
  body.fixed.zeros(4).u8(TO_TABLE).u32host(0);
  if (rule.to !== undefined && rule.to.length > 0) body.bytes(FRA.dst, ipToBytes(rule.to.ip));
  if (rule.from !== undefined && rule.from.length > 0) body.bytes(FRA.src, ipToBytes(rule.from.ip));
  if (rule.fwmark !== undefined) body.u32(FRA.fwmark, rule.fwmark);
  if (rule.priority !== undefined) body.u32(FRA.priority, rule.priority);
  body.u32(FRA.table, rule.table);
  if (rule.protocol !== undefined) body.u8(FRA.protocol, rule.protocol);
  return body.finish();
}

/** Adds a rule; errno 17 (EEXIST) when there is the same one. */
export function addRule(rule: Rule): Request {
  const flags = FLAG.create | FLAG.exclusive;
  return { type: RULE_MESSAGE.new, flags, body: ruleBody(rule), asked: `add ${describe(rule)}` };
}

/** Removes the first rule that has all that `rule` says; errno 2 (ENOENT) when there is none. */
export function deleteRule(rule: Rule): Request {
  return { type: RULE_MESSAGE.delete, flags: 0, body: ruleBody(rule), asked: `remove ${describe(rule)}` };
}

/** A dump of the rules of a family. */
export function dumpRules(family: Family): Request {
  const body = new BodyWriter();
  body.fixed.u8(familyNumber(family)).zeros(HEADER_BYTES - 1);
  return { type: RULE_MESSAGE.get, flags: 0, body: body.finish(), asked: 'list rules' };
}

/** The rule of a NEWRULE or DELRULE; `undefined` for actions other than a table lookup. */
export function decodeRule(message: Message): Rule | undefined {
  if (message.type !== RULE_MESSAGE.new && message.type !== RULE_MESSAGE.delete) return undefined;
  if (message.body.length < HEADER_BYTES) return undefined;
  const reader = new Reader(message.body);
  const family = familyFromNumber(reader.u8());
  const toLength = reader.u8();
  const fromLength = reader.u8();
  reader.skip(1);
  const table = reader.u8();
  reader.skip(2);
  const action = reader.u8();
  if (family === undefined || action !== TO_TABLE || Math.max(toLength, fromLength) > familyBits(family)) {
    return undefined;
  }
  const attributes = Attributes.of(message.body, HEADER_BYTES);
  const to = prefixOf(readIp(attributes.bytes(FRA.dst), family), toLength, family);
  const from = prefixOf(readIp(attributes.bytes(FRA.src), family), fromLength, family);
  const fwmark = attributes.u32(FRA.fwmark);
  const priority = attributes.u32(FRA.priority);
  const protocol = attributes.u8(FRA.protocol);
  return {
    family,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(fwmark !== undefined && { fwmark }),
    ...(priority !== undefined && { priority }),
    table: attributes.u32(FRA.table) ?? table,
    ...(protocol !== undefined && { protocol }),
  };
}

/** The kernel leaves a prefix of length 0 out altogether. */
function prefixOf(address: Ip | undefined, length: number, family: Family): Prefix | undefined {
  if (address !== undefined) return { ip: address, length };
  return length === 0 ? undefined : { ip: ip(family === 4 ? '0.0.0.0' : '::'), length };
}
