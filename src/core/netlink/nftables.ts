import { Writer } from '../bytes.ts';
import { BodyWriter, FLAG, type Request, writeMessage } from './message.ts';

/**
 * Requests to nf_tables over nfnetlink (include/uapi/linux/netfilter/nf_tables.h and nfnetlink.h). They are carried out
 * as a transaction: all of them, or none. Numbers in attributes are in network order; keys and data of sets are bytes
 * as the packet, or the kernel's register, has them.
 */

/** AF_NETLINK's protocol family of tables. */
export const FAMILY = { inet: 1, arp: 3 } as const;
export type TableFamily = keyof typeof FAMILY;

/** Where a chain is called: of `inet`, and of `arp`. */
export const HOOK = { prerouting: 0, postrouting: 4, arpInput: 0, arpOutput: 1 } as const;

const SUBSYSTEM = 10;
const BATCH = { begin: 0x10, end: 0x11 } as const;
const MESSAGE = {
  newTable: 0,
  deleteTable: 2,
  newChain: 3,
  deleteChain: 5,
  newRule: 6,
  newSet: 9,
  deleteSet: 11,
  newElement: 12,
  deleteElement: 14,
} as const;

const TABLE = { name: 1 } as const;
const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
const CHAIN_HOOK = { number: 1, priority: 2 } as const;
const RULE = { table: 1, chain: 2, expressions: 4 } as const;
const SET = { table: 1, name: 2, flags: 3, keyType: 4, keyLength: 5, dataType: 6, id: 10 } as const;
const SET_FLAG = { map: 8, timeout: 0x10 } as const;
const ELEMENTS = { table: 1, set: 2, list: 3 } as const;
const ELEMENT = { key: 1, data: 2, timeout: 4 } as const;
const LIST_ITEM = 1;
const VALUE = 1;
const VERDICT = { data: 2, code: 1, chain: 2 } as const;
const CODE = { drop: 0, accept: 1, goto: -4 } as const;
const VERDICTS = 0xffffff00;
const VERDICT_REGISTER = 0;
const EXPRESSION = { name: 1, data: 2 } as const;
/** So that one message stays far below the 64 KiB of an attribute. */
const ELEMENTS_IN_MESSAGE = 500;

/** How nft(8) shows keys and data: numbers of its own data types. */
export const SHOWN_AS = { family: 2, ipv4: 7, ipv6: 8, etherType: 10, interface: 20 } as const;
/** A key of two parts. */
export const shownAsBoth = (first: number, second: number): number => (first << 6) | second;

/** A table of ours. */
export interface TableName {
  readonly family: TableFamily;
  readonly name: string;
}

/** One step of a rule: its name, and its attributes. */
export interface Expression {
  readonly name: string;
  fill(body: BodyWriter): void;
}

function request(
  message: number,
  family: TableFamily | undefined,
  flags: number,
  asked: string,
  fill: (body: BodyWriter) => void,
): Request {
  const body = new BodyWriter();
  writeHeader(body, family, 0);
  fill(body);
  return { type: (SUBSYSTEM << 8) | message, flags, body: body.finish(), asked };
}

/** struct nfgenmsg: family, version 0, and a number in network order. */
function writeHeader(body: BodyWriter, family: TableFamily | undefined, resource: number): void {
  body.fixed
    .u8(family === undefined ? 0 : FAMILY[family])
    .u8(0)
    .u16be(resource);
}

/**
 * The bytes of one transaction, with sequence numbers from `first` on: that of its beginning, then those of
 * `requests`. Only the last request asks for an acknowledgement; whatever fails is told in any case.
 */
export function encodeTransaction(requests: readonly Request[], first: number): Uint8Array {
  const writer = new Writer(256 + requests.length * 96);
  const mark = (type: number, sequence: number): void => {
    const body = new BodyWriter();
    writeHeader(body, undefined, SUBSYSTEM);
    writeMessage(writer, { type, flags: FLAG.request, sequence, port: 0, body: body.finish() });
  };
  mark(BATCH.begin, first);
  requests.forEach(({ type, flags, body }, i) => {
    const asks = i === requests.length - 1 ? FLAG.ack : 0;
    writeMessage(writer, {
      type,
      flags: flags | FLAG.request | asks,
      sequence: first + 1 + i,
      port: 0,
      body,
    });
  });
  mark(BATCH.end, first + 1 + requests.length);
  return writer.finish();
}

const nameOf = ({ family, name }: TableName): string => `table ${family} ${name}`;

/** Makes a table; one that is there stays as it is. */
export const newTable = (table: TableName): Request =>
  request(MESSAGE.newTable, table.family, FLAG.create, `add ${nameOf(table)}`, (body) =>
    body.text(TABLE.name, table.name),
  );

/** Deletes a table with all that is in it; ENOENT when it is not there. */
export const deleteTable = (table: TableName): Request =>
  request(MESSAGE.deleteTable, table.family, 0, `delete ${nameOf(table)}`, (body) =>
    body.text(TABLE.name, table.name),
  );

/** A base chain that filters, and accepts what no rule drops. */
export function newBaseChain(table: TableName, name: string, hook: number, priority: number): Request {
  const asked = `add chain ${name} of ${nameOf(table)}`;
  return request(MESSAGE.newChain, table.family, FLAG.create, asked, (body) =>
    body
      .text(CHAIN.table, table.name)
      .text(CHAIN.name, name)
      .nest(CHAIN.hook, (inner) =>
        inner.u32be(CHAIN_HOOK.number, hook).u32be(CHAIN_HOOK.priority, priority >>> 0),
      )
      .u32be(CHAIN.policy, CODE.accept)
      .text(CHAIN.type, 'filter'),
  );
}

/** A chain that others go to. */
export const newChain = (table: TableName, name: string): Request =>
  request(MESSAGE.newChain, table.family, FLAG.create, `add chain ${name} of ${nameOf(table)}`, (body) =>
    body.text(CHAIN.table, table.name).text(CHAIN.name, name),
  );

/** Deletes a chain with its rules; EBUSY when something goes to it. */
export const deleteChain = (table: TableName, name: string): Request =>
  request(MESSAGE.deleteChain, table.family, 0, `delete chain ${name} of ${nameOf(table)}`, (body) =>
    body.text(CHAIN.table, table.name).text(CHAIN.name, name),
  );

export interface SetKind {
  readonly name: string;
  /** Any number that no other set of the transaction has. */
  readonly id: number;
  readonly key: { readonly shownAs: number; readonly bytes: number };
  /** A map to verdicts. */
  readonly verdicts?: true;
  /** Its elements may have an end. */
  readonly timeout?: true;
}

/** A set, or a map. */
export function newSet(table: TableName, { name, id, key, verdicts, timeout }: SetKind): Request {
  const flags = (verdicts === true ? SET_FLAG.map : 0) | (timeout === true ? SET_FLAG.timeout : 0);
  return request(MESSAGE.newSet, table.family, FLAG.create, `add set ${name} of ${nameOf(table)}`, (body) => {
    body.text(SET.table, table.name).text(SET.name, name);
    if (flags !== 0) body.u32be(SET.flags, flags);
    body.u32be(SET.keyType, key.shownAs).u32be(SET.keyLength, key.bytes);
    if (verdicts === true) body.u32be(SET.dataType, VERDICTS);
    body.u32be(SET.id, id);
  });
}

/** Deletes a set with its elements; EBUSY when a rule uses it. */
export const deleteSet = (table: TableName, name: string): Request =>
  request(MESSAGE.deleteSet, table.family, 0, `delete set ${name} of ${nameOf(table)}`, (body) =>
    body.text(SET.table, table.name).text(SET.name, name),
  );

export interface Element {
  readonly key: Uint8Array;
  /** Of a map: the chain that packets go to. */
  readonly chain?: string;
  /** Whole milliseconds, at least 1; without an end when absent. */
  readonly timeout?: number;
}

/** Adds elements to a set; those that are there stay as they are. */
export const addElements = (table: TableName, set: string, elements: readonly Element[]): Request[] =>
  elementRequests(
    MESSAGE.newElement,
    FLAG.create,
    `add to set ${set} of ${nameOf(table)}`,
    table,
    set,
    elements,
  );

/** Takes elements out of a set, by their keys; ENOENT when one is not there, or its time is over. */
export const deleteElements = (table: TableName, set: string, elements: readonly Element[]): Request[] =>
  elementRequests(
    MESSAGE.deleteElement,
    0,
    `delete from set ${set} of ${nameOf(table)}`,
    table,
    set,
    elements.map(({ key }) => ({ key })),
  );

function elementRequests(
  message: number,
  flags: number,
  asked: string,
  table: TableName,
  set: string,
  elements: readonly Element[],
): Request[] {
  const requests: Request[] = [];
  for (let at = 0; at < elements.length; at += ELEMENTS_IN_MESSAGE) {
    const some = elements.slice(at, at + ELEMENTS_IN_MESSAGE);
    requests.push(
      request(message, table.family, flags, asked, (body) =>
        body
          .text(ELEMENTS.table, table.name)
          .text(ELEMENTS.set, set)
          .nest(ELEMENTS.list, (list) => {
            for (const element of some) list.nest(LIST_ITEM, (item) => writeElement(item, element));
          }),
      ),
    );
  }
  return requests;
}

function writeElement(body: BodyWriter, { key, chain, timeout }: Element): void {
  body.nest(ELEMENT.key, (inner) => inner.bytes(VALUE, key));
  if (chain !== undefined) body.nest(ELEMENT.data, (inner) => writeVerdict(inner, CODE.goto, chain));
  if (timeout !== undefined) body.bytes(ELEMENT.timeout, new Writer(8).u32be(0).u32be(timeout).finish());
}

function writeVerdict(body: BodyWriter, code: number, chain?: string): void {
  body.nest(VERDICT.data, (verdict) => {
    verdict.u32be(VERDICT.code, code >>> 0);
    if (chain !== undefined) verdict.text(VERDICT.chain, chain);
  });
}

/** A rule at the end of a chain: the steps in turn, as long as each holds. */
export function newRule(table: TableName, chain: string, steps: readonly Expression[]): Request {
  const asked = `add a rule to chain ${chain} of ${nameOf(table)}`;
  return request(MESSAGE.newRule, table.family, FLAG.create | FLAG.append, asked, (body) =>
    body
      .text(RULE.table, table.name)
      .text(RULE.chain, chain)
      .nest(RULE.expressions, (list) => {
        for (const { name, fill } of steps)
          list.nest(LIST_ITEM, (item) => item.text(EXPRESSION.name, name).nest(EXPRESSION.data, fill));
      }),
  );
}

// The steps of rules. Registers are those of 16 bytes, 1 to 4, or of 4 bytes, 8 to 23: both are the same memory.

export const FIRST_REGISTER = 1;
/** Behind 4 bytes in the first. */
export const SECOND_REGISTER = 9;
const PAYLOAD = { register: 1, base: 2, offset: 3, length: 4 } as const;
const NETWORK_HEADER = 1;
const META = { register: 1, key: 2 } as const;
export const META_KEY = { inputInterface: 4, outputInterface: 5, family: 15, protocol: 16 } as const;
const COMPARE = { register: 1, operator: 2, data: 3 } as const;
const EQUAL = 0;
const LOOKUP = { set: 1, register: 2, into: 3 } as const;
const IMMEDIATE = { register: 1, data: 2 } as const;

/** Reads so many bytes of the network header. */
export const loadHeader = (offset: number, length: number, register = FIRST_REGISTER): Expression => ({
  name: 'payload',
  fill: (body) =>
    body
      .u32be(PAYLOAD.register, register)
      .u32be(PAYLOAD.base, NETWORK_HEADER)
      .u32be(PAYLOAD.offset, offset)
      .u32be(PAYLOAD.length, length),
});

/** Reads something that the kernel knows of the packet: one of META_KEY. */
export const loadMeta = (key: number): Expression => ({
  name: 'meta',
  fill: (body) => body.u32be(META.register, FIRST_REGISTER).u32be(META.key, key),
});

/** Holds when what was read is these bytes. */
export const compare = (bytes: Uint8Array): Expression => ({
  name: 'cmp',
  fill: (body) =>
    body
      .u32be(COMPARE.register, FIRST_REGISTER)
      .u32be(COMPARE.operator, EQUAL)
      .nest(COMPARE.data, (data) => data.bytes(VALUE, bytes)),
});

/** Holds when what was read is in the set, and its time there is not over. */
export const isIn = (set: string): Expression => ({
  name: 'lookup',
  fill: (body) => body.text(LOOKUP.set, set).u32be(LOOKUP.register, FIRST_REGISTER),
});

/** The verdict is that of what was read, where the map has one. */
export const lookUp = (map: string): Expression => ({
  name: 'lookup',
  fill: (body) =>
    body.text(LOOKUP.set, map).u32be(LOOKUP.register, FIRST_REGISTER).u32be(LOOKUP.into, VERDICT_REGISTER),
});

const verdict = (code: number): Expression => ({
  name: 'immediate',
  fill: (body) =>
    body.u32be(IMMEDIATE.register, VERDICT_REGISTER).nest(IMMEDIATE.data, (data) => writeVerdict(data, code)),
});

export const accept = verdict(CODE.accept);
export const drop = verdict(CODE.drop);
