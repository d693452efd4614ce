/**
 * Cursors over bytes. `be` is network order; `host` is the CPU's order, which is what netlink headers and
 * most of its attributes use. No other file reads or writes a multi-byte number.
 */
const HOST_IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const WORD = 2 ** 32;

/** Thrown by a `Reader` asked for more than there is: the input is truncated or lies about a length. */
export class ShortInput extends RangeError {
  override name = 'ShortInput';
}

/** Reads forward through a view; every read past the end throws `ShortInput`. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.offset;
  }

  #advance(count: number): number {
    if (count < 0 || count > this.remaining) {
      throw new ShortInput(`${count} bytes wanted at offset ${this.offset}, ${this.remaining} left`);
    }
    const at = this.offset;
    this.offset += count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }
  u16be(): number {
    return this.#view.getUint16(this.#advance(2));
  }
  u32be(): number {
    return this.#view.getUint32(this.#advance(4));
  }
  /** Exact up to 2^53; greater ones are rounded. */
  u64be(): number {
    return this.u32be() * WORD + this.u32be();
  }
  u16host(): number {
    return this.#view.getUint16(this.#advance(2), HOST_IS_LITTLE);
  }
  u32host(): number {
    return this.#view.getUint32(this.#advance(4), HOST_IS_LITTLE);
  }
  i32host(): number {
    return this.#view.getInt32(this.#advance(4), HOST_IS_LITTLE);
  }
  u64host(): bigint {
    return this.#view.getBigUint64(this.#advance(8), HOST_IS_LITTLE);
  }

  /** A view of the next `count` bytes; shares memory with the input. */
  bytes(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  skip(count: number): void {
    this.#advance(count);
  }
}

/** Appends to a growing buffer. */
export class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  #grow(count: number): number {
    const at = this.#length;
    const need = at + count;
    if (need > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(need, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = need;
    return at;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }
  u16be(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
    return this;
  }
  u32be(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
    return this;
  }
  /** At most 2^53. */
  u64be(value: number): this {
    return this.u32be(Math.floor(value / WORD)).u32be(value % WORD);
  }
  u16host(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, HOST_IS_LITTLE);
    return this;
  }
  u32host(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, HOST_IS_LITTLE);
    return this;
  }
  i32host(value: number): this {
    const at = this.#grow(4);
    this.#view.setInt32(at, value, HOST_IS_LITTLE);
    return this;
  }
  u64host(value: bigint): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, HOST_IS_LITTLE);
    return this;
  }
  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }
  zeros(count: number): this {
    const at = this.#grow(count);
    this.#bytes.fill(0, at, at + count);
    return this;
  }
  /** Zeros up to the next multiple of `boundary`. */
  align(boundary: number): this {
    return this.zeros((boundary - (this.#length % boundary)) % boundary);
  }

  /** Overwrites two bytes at `at`, network order: a checksum that is known only afterwards. */
  patchU16be(at: number, value: number): void {
    this.#view.setUint16(at, value);
  }
  patchU16host(at: number, value: number): void {
    this.#view.setUint16(at, value, HOST_IS_LITTLE);
  }
  patchU32host(at: number, value: number): void {
    this.#view.setUint32(at, value, HOST_IS_LITTLE);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Lower-case hexadecimal, two digits a byte, no separators. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** The inverse of `toHex`; blanks are allowed between digits. Throws RangeError on anything else. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits))
    throw new RangeError(`not hexadecimal: ${text}`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16),
  );
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
