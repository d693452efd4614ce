import { sayNow } from '../../io/stderr.ts';

/** Without a supervisor. Whoever read our standard error may be gone as well, or not read: nobody waits for that. */
export const complain = (text: string): void => sayNow(`vipkeeper vrrp: ${text}\n`);
