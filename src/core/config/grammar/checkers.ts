import { block } from '../schema.ts';
import { connection, otherChecks, schedule } from './check.ts';
import { httpChecks } from './http.ts';

/** The checkers of a real server, which `build/checks.ts` builds. keepalived: check/check_tcp.c and its neighbours. */
export const checkers = {
  TCP_CHECK: block('a connection succeeds', [], { ...connection, ...schedule }, { repeat: true }),
  ...httpChecks,
  ...otherChecks,
};
