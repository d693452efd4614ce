import { askControl } from '../../io/control.ts';
import { paintError } from '../../io/screen.ts';
import { CONTROL_SOCKET, runDirOf, STATUS_GROUP, STATUS_SOCKET } from '../options.ts';

/** What all commands that ask the daemon have. */
export interface CommonOptions {
  readonly runDir?: string;
  readonly namespace?: string;
  readonly json?: boolean;
}

export const runDir = (options: CommonOptions): string => options.runDir ?? runDirOf(options.namespace);

/** Why there is no answer. */
export interface Trouble {
  /** Nobody listens; somebody who says nothing; we may not ask; anything else. */
  readonly kind: 'down' | 'silent' | 'denied' | 'other';
  readonly message: string;
}

/** The daemon's answer, or why there is none. What the daemon answers as an error is `other`. */
export async function tryAsk(
  options: CommonOptions,
  request: unknown,
): Promise<{ readonly answer: unknown } | { readonly trouble: Trouble }> {
  const folder = runDir(options);
  const path = `${folder}/${CONTROL_SOCKET}`;
  let found = await askSocket(path, request);
  if ('trouble' in found && found.trouble.kind === 'denied') {
    const open = await askSocket(`${folder}/${STATUS_SOCKET}`, request);
    const refused = 'trouble' in open && (open.trouble.kind === 'denied' || open.trouble.kind === 'down');
    if (!refused) found = open;
  }
  return found;
}

async function askSocket(
  path: string,
  request: unknown,
): Promise<{ readonly answer: unknown } | { readonly trouble: Trouble }> {
  try {
    const answer = (await askControl(path, request)) as { readonly error?: string };
    if (answer.error === undefined) return { answer };
    return { trouble: { kind: 'other', message: answer.error } };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') {
      const who = `only root may ask vipkeeperd, and the group ${STATUS_GROUP} may look`;
      return { trouble: { kind: 'denied', message: `${who} (${path})` } };
    }
    if (code === 'ENOENT' || code === 'ECONNREFUSED')
      return { trouble: { kind: 'down', message: `vipkeeperd does not run (${path}: ${code})` } };
    const silent = code === 'ETIMEDOUT';
    return { trouble: { kind: silent ? 'silent' : 'other', message: `${message} (${path})` } };
  }
}

/** The daemon's answer; ends the program when there is none, or it is an error. */
export async function ask(options: CommonOptions, request: unknown): Promise<unknown> {
  const found = await tryAsk(options, request);
  return 'answer' in found ? found.answer : fail(found.trouble.message);
}

export function fail(message: string, status = 1): never {
  process.stderr.write(`${paintError('red', 'vipkeeper:')} ${message}\n`);
  process.exit(status);
}
