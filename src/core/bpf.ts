import { Writer } from './bytes.ts';

/** Programs of classic BPF (linux/filter.h) that say which packets a socket takes. */

export const BPF = {
  loadWord: 0x20,
  loadHalf: 0x28,
  loadByte: 0x30,
  /** At the offset in X and the constant. */
  loadHalfAtX: 0x48,
  loadByteAtX: 0x50,
  /** X is the length of the IPv4 header that begins at the constant. */
  headerLengthToX: 0xb1,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterOrEqual: 0x35,
  jumpAnySet: 0x45,
  end: 0x06,
} as const;
/** The offset of the packet's EtherType: SKF_AD_OFF + SKF_AD_PROTOCOL. */
export const ETHERTYPE_AT = 0xffff_f000;
/** Whether it comes or goes: SKF_AD_OFF + SKF_AD_PKTTYPE. */
export const PACKET_TYPE_AT = 0xffff_f004;
const ALL = 0xffff_ffff;

export interface Instruction {
  readonly code: number;
  readonly value: number;
  /** Of a jump: which outcome drops the packet; the other goes on with the next instruction. */
  readonly drops?: boolean;
}

export const load = (code: number, value: number): Instruction => ({ code, value });
export const demand = (code: number, value: number): Instruction => ({ code, value, drops: false });
export const refuse = (code: number, value: number): Instruction => ({ code, value, drops: true });

/** The program, as `Socket.attachFilter` takes it, that lets through what none of the instructions drops. */
export function filterOf(instructions: readonly Instruction[]): Uint8Array {
  const program = [...instructions, load(BPF.end, ALL)];
  const out = new Writer(8 * (program.length + 1));
  for (const [index, { code, value, drops }] of program.entries()) {
    const toEnd = program.length - index - 1;
    out.u16host(code).u8(drops === true ? toEnd : 0);
    out.u8(drops === false ? toEnd : 0).u32host(value);
  }
  return out.u16host(BPF.end).u16host(0).u32host(0).finish();
}
