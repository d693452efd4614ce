import type { Given, Got } from './events.ts';
import type { BulkRejection } from './post.ts';

/** What the sync process tells of bulk copies. */
export interface BulkFacts {
  /** Why there are none, and what to do; absent when all is well. */
  readonly trouble?: string;
  readonly port: number;
  /** A copy is wanted: so many requests so far, and who answers, with the records that it has sent. */
  readonly asking?: { readonly requests: number; readonly from?: string; readonly records?: number };
  /** The last one that we got and gave, and when: the wall clock, in milliseconds since 1970. */
  readonly got?: Got & { readonly at: number };
  readonly given?: Given & { readonly at: number };
  /** Datagrams that were not acted on. */
  readonly rejected: Readonly<Partial<Record<BulkRejection, number>>>;
}
