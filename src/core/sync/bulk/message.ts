import { fromHex, Reader, ShortInput, toHex, Writer } from '../../bytes.ts';

/**
 * What two directors say to each other about the copy of a connection table (bodies of core/sealed.ts). The recipient
 * requests; the donor, whose kernel is the master of connection sync, offers; the recipient accepts. Each of the two
 * brings a nonce that it never used before, and all that follows has both: what is replayed starts nothing. The
 * records themselves go to the recipient's kernel, as the donor's kernel would send them.
 *
 * All numbers are in network order. A body: the kind (a byte), the syncid (a byte), both nonces (16 bytes each), the
 * sender's and the addressee's name with their lengths before them (a byte), and what the kind has.
 */

/** 32 hexadecimal digits. */
export type Nonce = string;
const NONCE_BYTES = 16;
/** Of a random life (24 digits) and how many it used: never the same again. */
export const nonceOf = (life: string, number: number): Nonce => life + number.toString(16).padStart(8, '0');
/** What stands for the donor's in a request. */
export const NO_NONCE: Nonce = '0'.repeat(2 * NONCE_BYTES);

/** What the donor's listing does not tell, in connections. */
export interface Lacks {
  /** Several firewall marks may have led to the server: the record says none. */
  readonly marks: number;
  /** Shifts of sequence numbers, of protocols that the director changes (FTP), are not in the kernel's listing. */
  readonly sequences: number;
  /** Not sent: the table has no service of theirs, or the addresses are of two families. */
  readonly left: number;
}

/** What is said, beside the nonces. */
export type BulkWord =
  | { readonly type: 'request' }
  | { readonly type: 'offer' }
  /** Again and again, as long as the recipient is there. */
  | { readonly type: 'accept' }
  /** The donor works: what it has sent so far. */
  | { readonly type: 'progress'; readonly records: number; readonly datagrams: number }
  /** A part of what the donor has: of each connection a fingerprint. */
  | {
      readonly type: 'list';
      /** From 1 on; the donor has read its table anew for each. */
      readonly round: number;
      /** From 0 on, of `chunks`. */
      readonly chunk: number;
      readonly chunks: number;
      /** In all chunks. */
      readonly connections: number;
      readonly lacks: Lacks;
      readonly fingerprints: readonly number[];
    }
  /** Which of them the recipient does not have: their places in the chunk, ascending. */
  | {
      readonly type: 'missing';
      readonly round: number;
      readonly chunk: number;
      readonly places: readonly number[];
    }
  /** The donor ends; so many are missing as far as it knows. */
  | { readonly type: 'done'; readonly missing: number }
  /** A backup asks how its table compares, and tells how it did last: in thousandths of what the master has. */
  | { readonly type: 'survey'; readonly covered: number | undefined }
  /** The master answers at once: what its kernel has sent so far, and how large that may be, in bytes. */
  | {
      readonly type: 'counts';
      /** Datagrams, since some time in the past. */
      readonly sent: number;
      readonly maxlen: number;
      readonly mtu: number;
      /** That it had when it looked last; 0 before. */
      readonly connections: number;
    }
  /** The backup wants the fingerprints that fall into the first so many of 256 slots. */
  | { readonly type: 'choose'; readonly slots: number }
  /** A part of them. */
  | {
      readonly type: 'sample';
      /** From 0 on, of `chunks`. */
      readonly chunk: number;
      readonly chunks: number;
      /** That the master has, in all slots. */
      readonly connections: number;
      readonly fingerprints: readonly number[];
    };

export type BulkMessage = BulkWord & {
  readonly syncId: number;
  readonly recipient: Nonce;
  readonly donor: Nonce;
  readonly from: string;
  /** Empty in a request and a survey: whoever is master. */
  readonly to: string;
};

/** What is said of how tables compare; the rest is of copies. */
export const isOfHealth = ({ type }: BulkWord): boolean =>
  type === 'survey' || type === 'counts' || type === 'choose' || type === 'sample';

const KINDS: readonly BulkWord['type'][] = [
  'request',
  'offer',
  'accept',
  'progress',
  'list',
  'missing',
  'done',
  'survey',
  'counts',
  'choose',
  'sample',
];
const UNKNOWN_COVERAGE = 0xffff;
/** A sample is chosen by slots: the low byte of a fingerprint. */
export const SLOTS = 256;
/** A list of as many fits into a datagram of any link, with the names and the MAC. */
export const MOST_FINGERPRINTS = 240;

/** The body of a datagram. Throws RangeError where a name has more than 255 bytes. */
export function encodeBulk(message: BulkMessage): Uint8Array {
  const out = new Writer(512).u8(KINDS.indexOf(message.type)).u8(message.syncId);
  for (const nonce of [message.recipient, message.donor]) out.bytes(fromHex(nonce));
  for (const text of [message.from, message.to]) {
    const name = new TextEncoder().encode(text);
    if (name.length > 255) throw new RangeError(`a name of ${name.length} bytes`);
    out.u8(name.length).bytes(name);
  }
  switch (message.type) {
    case 'progress':
      out.u32be(message.records).u32be(message.datagrams);
      break;
    case 'list': {
      const { round, chunk, chunks, connections, lacks, fingerprints } = message;
      for (const number of [round, chunk, chunks, connections, lacks.marks, lacks.sequences, lacks.left])
        out.u32be(number);
      writeList(out, fingerprints, (number) => out.u32be(number));
      break;
    }
    case 'missing':
      out.u32be(message.round).u32be(message.chunk);
      writeList(out, message.places, (place) => out.u8(place));
      break;
    case 'done':
      out.u32be(message.missing);
      break;
    case 'survey':
      out.u16be(message.covered ?? UNKNOWN_COVERAGE);
      break;
    case 'counts':
      for (const number of [message.sent, message.maxlen, message.mtu, message.connections])
        out.u32be(number);
      break;
    case 'choose':
      out.u16be(message.slots);
      break;
    case 'sample':
      for (const number of [message.chunk, message.chunks, message.connections]) out.u32be(number);
      writeList(out, message.fingerprints, (number) => out.u32be(number));
      break;
    default:
  }
  return out.finish();
}

function writeList(out: Writer, list: readonly number[], write: (each: number) => void): void {
  if (list.length > MOST_FINGERPRINTS) throw new RangeError(`a list of ${list.length} in a datagram`);
  out.u8(list.length);
  for (const each of list) write(each);
}

/** What a body says; `undefined` for anything that `encodeBulk` does not write. Never throws. */
export function decodeBulk(body: Uint8Array): BulkMessage | undefined {
  const reader = new Reader(body);
  try {
    const type = KINDS[reader.u8()];
    const syncId = reader.u8();
    const [recipient, donor] = [readNonce(reader), readNonce(reader)];
    const [from, to] = [readName(reader), readName(reader)];
    const word = type && readWord(type, reader);
    return word === undefined || reader.remaining > 0
      ? undefined
      : { ...word, syncId, recipient, donor, from, to };
  } catch (error) {
    // Not UTF-8, or cut.
    if (error instanceof ShortInput || error instanceof TypeError) return undefined;
    throw error;
  }
}

const readNonce = (reader: Reader): Nonce => toHex(reader.bytes(NONCE_BYTES));

const readName = (reader: Reader): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(reader.bytes(reader.u8()));

function readWord(type: BulkWord['type'], reader: Reader): BulkWord | undefined {
  switch (type) {
    case 'progress':
      return { type, records: reader.u32be(), datagrams: reader.u32be() };
    case 'list': {
      const [round, chunk, chunks, connections] = [1, 2, 3, 4].map(() => reader.u32be()) as [
        number,
        number,
        number,
        number,
      ];
      const lacks = { marks: reader.u32be(), sequences: reader.u32be(), left: reader.u32be() };
      const fingerprints = readList(reader, () => reader.u32be());
      if (fingerprints === undefined || round === 0 || chunk >= chunks) return undefined;
      return { type, round, chunk, chunks, connections, lacks, fingerprints };
    }
    case 'missing': {
      const [round, chunk] = [reader.u32be(), reader.u32be()];
      const places = readList(reader, () => reader.u8());
      const ascend = places?.every((place, i) => i === 0 || place > (places[i - 1] as number));
      return places === undefined || !ascend ? undefined : { type, round, chunk, places };
    }
    case 'done':
      return { type, missing: reader.u32be() };
    case 'survey':
    case 'counts':
    case 'choose':
    case 'sample':
      return readHealth(type, reader);
    default:
      return { type };
  }
}

function readHealth(type: 'survey' | 'counts' | 'choose' | 'sample', reader: Reader): BulkWord | undefined {
  switch (type) {
    case 'survey': {
      const covered = reader.u16be();
      if (covered === UNKNOWN_COVERAGE) return { type, covered: undefined };
      return covered > 1000 ? undefined : { type, covered };
    }
    case 'counts': {
      const [sent, maxlen, mtu] = [reader.u32be(), reader.u32be(), reader.u32be()];
      return { type, sent, maxlen, mtu, connections: reader.u32be() };
    }
    case 'choose': {
      const slots = reader.u16be();
      return slots === 0 || slots > SLOTS ? undefined : { type, slots };
    }
    default: {
      const [chunk, chunks, connections] = [reader.u32be(), reader.u32be(), reader.u32be()];
      const fingerprints = readList(reader, () => reader.u32be());
      if (fingerprints === undefined || chunk >= chunks) return undefined;
      return { type, chunk, chunks, connections, fingerprints };
    }
  }
}

function readList(reader: Reader, read: () => number): number[] | undefined {
  const length = reader.u8();
  return length > MOST_FINGERPRINTS ? undefined : Array.from({ length }, read);
}
