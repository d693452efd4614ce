import { Reader, Writer } from '../bytes.ts';

/**
 * Netlink messages (RFC 3549 section 2; the kernel's include/uapi/linux/netlink.h): the header and what every
 * family shares. Numbers are in the host's order. Nothing here throws on input from outside: a datagram that
 * makes no sense gives the messages before the break and says that something was left over.
 */
export const MESSAGE = { noop: 1, error: 2, done: 3, overrun: 4 } as const;

export const FLAG = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  /** In a reply: the dump changed under way and may be inconsistent; ask again. */
  dumpInterrupted: 0x10,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  /** In an error: only the header of the request is echoed (NETLINK_CAP_ACK). */
  capped: 0x100,
  /** In an error or DONE: attributes follow (NETLINK_EXT_ACK). */
  ackAttributes: 0x200,
} as const;

export const HEADER_BYTES = 16;
/**
 * Most messages in one send. Each acknowledgement is a datagram of its own in the receive queue; a default
 * queue holds 256, and one that overflows loses them (measured: 500 in one send gave ENOBUFS and no answer).
 */
export const MAX_BATCH = 50;

/** The same in order, in lots of MAX_BATCH at most. */
export function inBatches<T>(all: readonly T[]): T[][] {
  const batches: T[][] = [];
  for (let at = 0; at < all.length; at += MAX_BATCH) batches.push(all.slice(at, at + MAX_BATCH));
  return batches;
}

/** One message as it came. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** The port id: the requester's in replies, 0 in most notifications. */
  readonly port: number;
  readonly body: Uint8Array;
}

/** A message to send; the socket gives it its sequence number. */
export interface Request {
  readonly type: number;
  /** FLAG bits besides `request` and `ack`, which the socket adds. */
  readonly flags: number;
  readonly body: Uint8Array;
  /** What is asked for, in words, for error messages: `add address 10.0.0.1/24 to interface 3`. */
  readonly asked: string;
}

/** Appends one message to `writer`, which must be at a multiple of 4, and pads it to a multiple of 4. */
export function writeMessage(writer: Writer, message: Message): void {
  writer.u32host(HEADER_BYTES + message.body.length);
  writer.u16host(message.type).u16host(message.flags);
  writer.u32host(message.sequence).u32host(message.port);
  writer.bytes(message.body).align(4);
}

/** The bytes of one send: `requests` in order, numbered from `firstSequence`, each to be acknowledged. */
export function encodeBatch(requests: readonly Request[], firstSequence: number): Uint8Array {
  const writer = new Writer(requests.length * 128);
  requests.forEach((request, i) => {
    writeMessage(writer, {
      type: request.type,
      flags: request.flags | FLAG.request | FLAG.ack,
      sequence: (firstSequence + i) >>> 0,
      port: 0,
      body: request.body,
    });
  });
  return writer.finish();
}

/** The bytes of one dump request. */
export function encodeDump(request: Request, sequence: number): Uint8Array {
  const writer = new Writer();
  const flags = request.flags | FLAG.request | FLAG.dump;
  writeMessage(writer, { type: request.type, flags, sequence, port: 0, body: request.body });
  return writer.finish();
}

export interface Datagram {
  readonly messages: readonly Message[];
  /** Bytes at the end that are no whole message: 0 for a sound datagram. */
  readonly leftover: number;
}

/** The messages of one datagram, up to the first whose length makes no sense. Bodies share its memory. */
export function splitDatagram(datagram: Uint8Array): Datagram {
  const messages: Message[] = [];
  const reader = new Reader(datagram);
  while (reader.remaining >= HEADER_BYTES) {
    const start = reader.offset;
    const length = reader.u32host();
    if (length < HEADER_BYTES || length > datagram.length - start) {
      return { messages, leftover: datagram.length - start };
    }
    const type = reader.u16host();
    const flags = reader.u16host();
    const sequence = reader.u32host();
    const port = reader.u32host();
    messages.push({ type, flags, sequence, port, body: reader.bytes(length - HEADER_BYTES) });
    reader.skip(Math.min((4 - (length % 4)) % 4, reader.remaining));
  }
  return { messages, leftover: reader.remaining };
}

/** How a request ended. */
export interface Outcome {
  /** 0 for success, otherwise the positive errno. */
  readonly errno: number;
  /** The kernel's own words (NETLINK_EXT_ACK), when it has any. */
  readonly text?: string;
  /** Where in the request the offending attribute begins, in bytes, when the kernel says. */
  readonly offset?: number;
}

const ACK_TEXT = 1;
const ACK_OFFSET = 2;

/** The outcome in an NLMSG_ERROR (errno 0 is an acknowledgement) or NLMSG_DONE; `undefined` for others. */
export function decodeOutcome(message: Message): Outcome | undefined {
  const isError = message.type === MESSAGE.error;
  if (!isError && message.type !== MESSAGE.done) return undefined;
  const reader = new Reader(message.body);
  // DONE without a payload is legal and means success.
  if (reader.remaining < 4) return isError ? undefined : { errno: 0 };
  const errno = Math.max(0, -reader.i32host());
  if ((message.flags & FLAG.ackAttributes) === 0) return { errno };
  if (isError) skipEcho(reader, (message.flags & FLAG.capped) !== 0);
  const attributes = Attributes.of(reader.bytes(reader.remaining));
  const text = attributes.text(ACK_TEXT);
  const offset = attributes.u32(ACK_OFFSET);
  return {
    errno,
    ...(text !== undefined && { text }),
    ...(offset !== undefined && { offset }),
  };
}

/** Past the request that an error repeats: whole, or only its header. */
function skipEcho(reader: Reader, capped: boolean): void {
  if (reader.remaining < HEADER_BYTES) return;
  const length = capped ? HEADER_BYTES : new Reader(reader.bytes(4)).u32host();
  if (!capped) reader.offset -= 4;
  reader.skip(Math.min(Math.ceil(length / 4) * 4, reader.remaining));
}

const ATTRIBUTE_HEADER_BYTES = 4;
const NESTED = 0x8000;
/** The two upper bits of a type are flags (nested, network order); the kernel sets or leaves them at will. */
const TYPE_MASK = 0x3fff;
/** Above the length of any attribute: offset and length of one share a number. */
const LENGTHS = 0x10000;

/**
 * The attributes of a message or of a nest, by type; where one repeats, the last counts, as in the kernel.
 * Reading is total: an accessor gives `undefined` when the attribute is absent or too short for the type.
 */
export class Attributes {
  readonly #reader: Reader;
  /** Where each lies: a table has tens of thousands, so that nothing is allocated for one but this. */
  readonly #places = new Map<number, number>();

  private constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** Walks `bytes` from `offset` up to the first attribute whose length makes no sense. */
  static of(bytes: Uint8Array, offset = 0): Attributes {
    const attributes = new Attributes(new Reader(bytes));
    attributes.#walk(offset, bytes.length);
    return attributes;
  }

  #walk(from: number, to: number): void {
    const reader = this.#reader;
    let at = from;
    while (to - at >= ATTRIBUTE_HEADER_BYTES) {
      reader.offset = at;
      const length = reader.u16host();
      const type = reader.u16host() & TYPE_MASK;
      if (length < ATTRIBUTE_HEADER_BYTES || length > to - at) return;
      this.#places.set(type, (at + ATTRIBUTE_HEADER_BYTES) * LENGTHS + length - ATTRIBUTE_HEADER_BYTES);
      at += (length + 3) & ~3;
    }
  }

  /** A reader at the attribute, if it has at least `size` bytes. */
  #at(type: number, size: number): Reader | undefined {
    const place = this.#places.get(type);
    if (place === undefined || place % LENGTHS < size) return undefined;
    this.#reader.offset = Math.floor(place / LENGTHS);
    return this.#reader;
  }

  bytes(type: number): Uint8Array | undefined {
    return this.#at(type, 0)?.bytes((this.#places.get(type) ?? 0) % LENGTHS);
  }

  u8(type: number): number | undefined {
    return this.#at(type, 1)?.u8();
  }
  u16(type: number): number | undefined {
    return this.#at(type, 2)?.u16host();
  }
  u16be(type: number): number | undefined {
    return this.#at(type, 2)?.u16be();
  }
  u32(type: number): number | undefined {
    return this.#at(type, 4)?.u32host();
  }
  u32be(type: number): number | undefined {
    return this.#at(type, 4)?.u32be();
  }
  i32(type: number): number | undefined {
    return this.#at(type, 4)?.i32host();
  }
  u64(type: number): bigint | undefined {
    return this.#at(type, 8)?.u64host();
  }

  /** A string up to its NUL, if it has one. Names and messages of the kernel are ASCII. */
  text(type: number): string | undefined {
    const data = this.bytes(type);
    if (data === undefined) return undefined;
    const end = data.indexOf(0);
    return String.fromCharCode(
      ...data.subarray(0, end < 0 ? Math.min(data.length, 1024) : Math.min(end, 1024)),
    );
  }

  /** What is nested in `type`; empty when it is absent. */
  nest(type: number): Attributes {
    const nest = new Attributes(this.#reader);
    const place = this.#places.get(type) ?? 0;
    const at = Math.floor(place / LENGTHS);
    nest.#walk(at, at + (place % LENGTHS));
    return nest;
  }
}

/** Every attribute in order, for lists whose types repeat or are indexes. */
export function listAttributes(bytes: Uint8Array, offset = 0): { type: number; data: Uint8Array }[] {
  const found: { type: number; data: Uint8Array }[] = [];
  if (offset > bytes.length) return found;
  const reader = new Reader(bytes, offset);
  while (reader.remaining >= ATTRIBUTE_HEADER_BYTES) {
    const length = reader.u16host();
    const type = reader.u16host() & TYPE_MASK;
    const payload = length - ATTRIBUTE_HEADER_BYTES;
    if (payload < 0 || payload > reader.remaining) break;
    found.push({ type, data: reader.bytes(payload) });
    reader.skip(Math.min((4 - (length % 4)) % 4, reader.remaining));
  }
  return found;
}

/** Writes a message's body: the family's fixed header through `fixed`, then attributes, each padded to 4. */
export class BodyWriter {
  readonly fixed = new Writer(128);

  bytes(type: number, value: Uint8Array): this {
    this.fixed.u16host(ATTRIBUTE_HEADER_BYTES + value.length).u16host(type);
    this.fixed.bytes(value).align(4);
    return this;
  }
  u8(type: number, value: number): this {
    this.fixed.u16host(5).u16host(type).u8(value).zeros(3);
    return this;
  }
  u16(type: number, value: number): this {
    this.fixed.u16host(6).u16host(type).u16host(value).zeros(2);
    return this;
  }
  u16be(type: number, value: number): this {
    this.fixed.u16host(6).u16host(type).u16be(value).zeros(2);
    return this;
  }
  u32(type: number, value: number): this {
    this.fixed.u16host(8).u16host(type).u32host(value);
    return this;
  }
  u32be(type: number, value: number): this {
    this.fixed.u16host(8).u16host(type).u32be(value);
    return this;
  }
  /** An ASCII string with its NUL. */
  text(type: number, value: string): this {
    const bytes = new Uint8Array(value.length + 1);
    for (let i = 0; i < value.length; i++) bytes[i] = value.charCodeAt(i);
    return this.bytes(type, bytes);
  }
  /** What `fill` writes, nested in `type`, marked as nested as libnl does. */
  nest(type: number, fill: (body: this) => void): this {
    const start = this.fixed.length;
    this.fixed.u16host(0).u16host(type | NESTED);
    fill(this);
    this.fixed.patchU16host(start, this.fixed.length - start);
    return this;
  }

  finish(): Uint8Array {
    return this.fixed.finish();
  }
}
