/**
 * What a watcher (watch.ts) saw on its host, and the words between it and the bench. Times are milliseconds
 * of the real-time clock with their fractions, the same for all processes and for the kernel's packet
 * timestamps.
 */
export type Milliseconds = number;

export const clock = (): Milliseconds => performance.timeOrigin + performance.now();

/** A VRRP advertisement on the wire, stamped by the kernel. */
export interface Advert {
  readonly at: Milliseconds;
  readonly source: string;
  readonly vrid: number;
  readonly priority: number;
}

/** A gratuitous ARP or an unsolicited neighbour advertisement, stamped by the kernel. */
export interface Announcement {
  readonly at: Milliseconds;
  readonly address: string;
}

/** An address came to this host or left it; stamped when the notification was read. */
export interface Change {
  readonly at: Milliseconds;
  readonly address: string;
  readonly present: boolean;
}

/** All that was seen since the last `clear`, in order. */
export interface Observations {
  readonly adverts: readonly Advert[];
  readonly announcements: readonly Announcement[];
  readonly changes: readonly Change[];
}

/** How it stands, for conditions that are polled. */
export interface Summary {
  readonly held: number;
  /** How often the watched address came to this host since the last `clear`. */
  readonly takeovers: number;
  readonly adverts: number;
  readonly lastAdvert: Advert | undefined;
  readonly announcements: number;
  readonly changes: number;
  /** Notifications were lost: the observations are not whole. */
  readonly lost: boolean;
}

export type Ask = 'clear' | 'summary' | 'observations';
