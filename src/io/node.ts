/**
 * What Node offers on its own and nobody may use in a daemon of root: above all its debugger, which runs any code for
 * whoever connects to its port. Node opens it at SIGUSR1, which people send to dump data, and by its options, also
 * those in the environment (NODE_OPTIONS). Three things keep it shut: these options of every process of ours; the
 * signal, which every program takes with its first statement; and `refuseDebugger`.
 */

/** Since these versions Node leaves SIGUSR1 alone if it is told to. */
const LEAVES_SIGNAL: readonly (readonly [major: number, minor: number])[] = [
  [22, 14],
  [23, 7],
];

/**
 * The debugger can't have its port: no TCP socket can be bound to an IPv6 multicast address. Linux says EINVAL
 * (net/ipv6/af_inet6.c), whatever is set and whoever asks. Programs begin with this option (packaging/bundle.ts).
 */
const NO_PORT = '--inspect-port=[ff00::]';

/** Options for every process of ours. */
export const NO_DEBUGGER: readonly string[] = [
  NO_PORT,
  ...(leavesSignal(process.versions.node) ? ['--disable-sigusr1'] : []),
];

function leavesSignal(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const since = LEAVES_SIGNAL.find((each) => each[0] === major);
  return since === undefined ? major > 23 : minor >= since[1];
}

const CACHE = 'NODE_COMPILE_CACHE';
let cache: string | undefined;

/** The environment of a process of ours: it finds its compiled code where this one does. */
export const nodeEnvironment = (): NodeJS.ProcessEnv =>
  cache === undefined ? process.env : { ...process.env, [CACHE]: cache };

/** Takes Node's variables out of this process's environment: what it starts would listen to them. */
export function forgetNodeVariables(): void {
  cache ??= process.env[CACHE];
  for (const name of Object.keys(process.env)) if (name.startsWith('NODE_')) delete process.env[name];
}

/**
 * Ends a program whose debugger is open: it did not start by itself, but with options of others. One that has the
 * launcher's option has no debugger; to ask Node for it costs a start some milliseconds.
 */
export async function refuseDebugger(): Promise<void> {
  if (process.execArgv.includes(NO_PORT)) return;
  const { url } = await import('node:inspector');
  if (url() === undefined) return;
  process.stderr.write(
    "Node's debugger is open: with it every user of this host could become this one. Start the program itself, " +
      'not "node PROGRAM", or without NODE_OPTIONS\n',
  );
  process.exit(1);
}
