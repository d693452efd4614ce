/** What a scene asks its client to do (programs/client.ts). */
export type Ask =
  | { readonly kind: 'open'; readonly count: number; readonly host: string; readonly port: number }
  | { readonly kind: 'report' }
  | { readonly kind: 'measure' }
  | {
      readonly kind: 'get';
      readonly url: string;
      readonly milliseconds: number;
      /** The client's own address. */
      readonly from?: string;
    }
  | { readonly kind: 'close' }
  | Dial
  | { readonly kind: 'say'; readonly call: number; readonly text: string }
  | { readonly kind: 'hang up'; readonly call: number };

/** One connection that is silent until it is told to say something (programs/calls.ts). */
export interface Dial {
  readonly kind: 'dial';
  readonly transport: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  /** The client's own address. */
  readonly from?: string;
}

export interface Answered {
  /** For `say` and `hang up`; -1 when nobody answered. */
  readonly call: number;
  /** The name that the server gave; the error's name (`ECONNREFUSED`) when nobody answered. */
  readonly server: string;
}

/** The client's connections at this moment. Each is in one of the first four states. */
export interface Report {
  /** Not yet greeted by a server. */
  readonly opening: number;
  readonly open: number;
  /** Never came about. */
  readonly refused: number;
  /** Was open, then reset or closed by the other side. */
  readonly broken: number;
  /** Got a byte that is not the one that was sent at this place. */
  readonly corrupt: number;
  readonly bytes: number;
  /** Blocks that came back, for each connection. */
  readonly blocks: readonly number[];
  /** The longest time, since `measure`, in which no connection heard anything. */
  readonly longestSilenceMilliseconds: number;
  /** Connections by the name that their server gave. */
  readonly servers: Readonly<Record<string, number>>;
}
