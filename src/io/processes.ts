import { readdirSync, readFileSync } from 'node:fs';
import {
  decodeProcessNews,
  listenToProcesses,
  PROCESS_GROUP,
  type ProcessNews,
} from '../core/netlink/connector.ts';
import type { ProcessInfo } from '../core/track/processes.ts';
import { errnoName, SystemError } from './errno.ts';
import { AF, sockaddrNetlink } from './sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from './socket.ts';

const NETLINK_CONNECTOR = 11;
/** Room for some ten thousand events while the process is busy. */
const BUFFER = 4 << 20;
const DATAGRAM_ROOM = 128;
const SLOTS = 64;

/**
 * A process by its number; `undefined` when there is none, or only what its parent has not buried yet. `wantsWords`
 * says by its name whether its command line is wanted.
 */
export function readProcess(pid: number, wantsWords: (name: string) => boolean): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses and may hold any character, parentheses too.
    const end = stat.lastIndexOf(')');
    const name = stat.slice(stat.indexOf('(') + 1, end);
    if (/^ [ZX]/.test(stat.slice(end + 1))) return undefined;
    if (!wantsWords(name)) return { pid, name };
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return { pid, name, words: line.replace(/\0$/, '').split('\0') };
  } catch {
    return undefined;
  }
}

/** All processes of this process namespace. */
export function readProcesses(wantsWords: (name: string) => boolean): ProcessInfo[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.flatMap((pid) => readProcess(Number(pid), wantsWords) ?? []);
}

export interface ProcessListener {
  news(news: Exclude<ProcessNews, { type: 'answer' }>): void;
  /** Events were lost: look at all. */
  lost(): void;
}

/** Hears of processes that begin and end, from the kernel. */
export class ProcessEvents {
  readonly #socket = new Socket(AF.NETLINK, SOCK.DGRAM, NETLINK_CONNECTOR, 'the process connector');

  /**
   * Resolves when the kernel has said that we shall hear. Rejects when it does not: the connector is not there, it
   * needs CAP_NET_ADMIN, and it talks to the first network and process namespaces only, to others it does not answer.
   */
  start(listener: ProcessListener, limitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the kernel does not answer')), limitMs);
      const answered = (errno: number): void => {
        clearTimeout(timer);
        if (errno === 0) resolve();
        else reject(new Error(errnoName(errno)));
      };
      try {
        this.#socket.bind(sockaddrNetlink(0, PROCESS_GROUP));
        this.#socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, BUFFER);
        this.#socket.reserve({ data: DATAGRAM_ROOM, slots: SLOTS });
        this.#socket.listen({
          datagram: ({ data }) => {
            const news = decodeProcessNews(data);
            if (news?.type === 'answer') answered(news.errno);
            else if (news !== undefined) listener.news(news);
          },
          error: () => listener.lost(),
        });
        this.#socket.send(listenToProcesses(), sockaddrNetlink());
      } catch (error) {
        clearTimeout(timer);
        if (!(error instanceof SystemError)) throw error;
        reject(error);
      }
    });
  }

  close(): void {
    this.#socket.close();
  }
}
