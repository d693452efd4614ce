import { Reader, ShortInput, Writer } from '../bytes.ts';

/**
 * The kernel's process connector (linux/connector.h, linux/cn_proc.h): what becomes of processes, over netlink. Only
 * what is needed to know of which to look at: threads, and changes of identity, are left out.
 */
export type ProcessNews =
  /** The answer to `listenToProcesses`; 0 when we shall hear. */
  | { readonly type: 'answer'; readonly errno: number }
  /** A process began, began to run another program, or named itself. */
  | { readonly type: 'changed'; readonly pid: number }
  | { readonly type: 'ended'; readonly pid: number };

/** The multicast group, and CN_IDX_PROC and CN_VAL_PROC. */
export const PROCESS_GROUP = 1;
const VALUE = 1;
const NLMSG_DONE = 3;
const NLMSG_HEADER = 16;
const CN_HEADER = 20;
const MCAST_LISTEN = 1;
const WHAT = { answer: 0, fork: 1, exec: 2, comm: 0x200, exit: 0x8000_0000 } as const;

/** PROC_CN_MCAST_LISTEN. */
export function listenToProcesses(): Uint8Array {
  const length = NLMSG_HEADER + CN_HEADER + 4;
  const out = new Writer(length);
  out.u32host(length).u16host(NLMSG_DONE).u16host(0).u32host(0).u32host(0);
  out.u32host(PROCESS_GROUP).u32host(VALUE).u32host(0).u32host(0).u16host(4).u16host(0);
  return out.u32host(MCAST_LISTEN).finish();
}

/** `undefined` for what is of no interest, and for what is no such message. */
export function decodeProcessNews(datagram: Uint8Array): ProcessNews | undefined {
  try {
    const input = new Reader(datagram, NLMSG_HEADER);
    if (input.u32host() !== PROCESS_GROUP || input.u32host() !== VALUE) return undefined;
    input.skip(CN_HEADER - 8);
    const what = input.u32host();
    // CPU and time stamp.
    input.skip(12);
    return news(what, input);
  } catch (error) {
    if (error instanceof ShortInput) return undefined;
    throw error;
  }
}

function news(what: number, input: Reader): ProcessNews | undefined {
  if (what === WHAT.answer) return { type: 'answer', errno: input.u32host() };
  if (what === WHAT.fork) input.skip(8);
  else if (what !== WHAT.exec && what !== WHAT.comm && what !== WHAT.exit) return undefined;
  const thread = input.u32host();
  const pid = input.u32host();
  if (thread !== pid) return undefined;
  return { type: what === WHAT.exit ? 'ended' : 'changed', pid };
}
