import { askControl } from '../../io/control.ts';
import { paintError } from '../../io/screen.ts';
import { runDirOf } from '../options.ts';

/** What all commands that ask the daemon have. */
export interface CommonOptions {
  readonly runDir?: string;
  readonly namespace?: string;
  readonly json?: boolean;
}

/** The daemon's answer; ends the program when there is none, or it is an error. */
export async function ask(options: CommonOptions, request: unknown): Promise<unknown> {
  const path = `${options.runDir ?? runDirOf(options.namespace)}/control.sock`;
  try {
    const answer = (await askControl(path, request)) as { readonly error?: string };
    if (answer.error !== undefined) fail(answer.error);
    return answer;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') return fail(`only root may ask vipkeeperd (${path})`);
    const down = code === 'ENOENT' || code === 'ECONNREFUSED';
    return fail(`${down ? 'vipkeeperd does not run' : message} (${path}${down ? `: ${code}` : ''})`);
  }
}

export function fail(message: string): never {
  process.stderr.write(`${paintError('red', 'vipkeeper:')} ${message}\n`);
  process.exit(1);
}
