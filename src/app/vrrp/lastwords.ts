import { writeSync } from 'node:fs';

/** Without a supervisor. Whoever read our standard error may be gone as well, which is no reason to fail. */
export function complain(text: string): void {
  try {
    writeSync(2, `vipkeeper vrrp: ${text}\n`);
  } catch {
    // Nobody is left to tell.
  }
}
