import { execFileSync } from 'node:child_process';

/**
 * Runs a program to its end and gives its standard output; the error of one that fails has all that it
 * printed.
 */
export function run(argv: readonly string[], input = ''): string {
  const [program = '', ...rest] = argv;
  try {
    return execFileSync(program, rest, { encoding: 'utf8', input, stdio: 'pipe', maxBuffer: 1 << 26 });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    const said = `${stderr}${stdout}`.trim();
    throw new Error(`${argv.join(' ')}: ${said === '' ? message : said}`);
  }
}

/** Runs several `ip` commands in one go, in a namespace or here; stops at the first that fails. */
export function ip(namespace: string | undefined, ...commands: readonly string[]): void {
  const where = namespace === undefined ? [] : ['-n', namespace];
  run(['ip', ...where, '-batch', '-'], `${commands.join('\n')}\n`);
}
