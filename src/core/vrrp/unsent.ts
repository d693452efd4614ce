import type { Ip } from '../ip.ts';
import type { Duration } from '../time.ts';
import { text } from './intervals.ts';

/** An advert that could not be sent: the errno's name (`EPERM`), and where it was to go. */
export interface UnsentEvent {
  readonly type: 'unsent';
  readonly code: string;
  readonly destination: Ip;
}

/** What an errno of sendmsg(2) means for an advert. */
const MEANINGS: Readonly<Record<string, string>> = {
  EPERM: 'a packet filter refuses them',
  ENETDOWN: 'the interface is down',
  ENODEV: 'the interface is gone',
  ENXIO: 'the interface is gone',
  ENETUNREACH: 'there is no route',
  EHOSTUNREACH: 'there is no route',
  ENOBUFS: "the interface's queue is full",
  EAGAIN: "the socket's queue is full",
  EADDRNOTAVAIL: 'the source address is not there',
  EMSGSIZE: 'they are too long for the interface',
};

/** `EPERM, a packet filter refuses them (to 224.0.0.18)`. */
export function unsentWords({ code, destination }: Omit<UnsentEvent, 'type'>): string {
  const meaning = MEANINGS[code];
  return `${code}${meaning === undefined ? '' : `, ${meaning}`} (to ${destination})`;
}

/** Why a router whose adverts do not leave cannot serve. */
export const silencedWords = (silent: Duration, why: string): string =>
  `no advert left for ${text(silent)}: ${why}`;
