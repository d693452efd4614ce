import { bad, good } from './dialogue.ts';
import type { CheckResult } from './verdict.ts';

/** What matters of a message that came back. */
export interface DnsReply {
  readonly id: number;
  readonly response: boolean;
  /** By IANA's name: `SERVFAIL`. */
  readonly status: string;
}

/** RFC 1035, 4.1.1, and what the names mean for a reader. */
const MEANINGS: Readonly<Record<string, string>> = {
  FORMERR: 'it did not understand the query',
  SERVFAIL: 'it failed',
  NXDOMAIN: 'there is no such name',
  NOTIMP: 'it does not do such queries',
  REFUSED: 'it refuses to answer',
};

/** keepalived's rule: a response to our query without an error is good, whatever it says. Others: wait on. */
export function judgeDns({ id, response, status }: DnsReply, ours: number): CheckResult | undefined {
  if (id !== ours || !response) return undefined;
  if (status === 'NOERROR') return good('answered');
  const meaning = MEANINGS[status];
  return bad(meaning === undefined ? status : `${status}: ${meaning}`);
}
