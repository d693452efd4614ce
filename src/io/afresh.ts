import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';

/**
 * How programs of others (scripts that notify, track and check) are started: as from a shell, not as parts of the
 * daemon. Node gives them default signals; `seclude` keeps descriptors from them; the rest is done by words that go
 * before the command.
 */

/** The user and group of a program; `groups`: all groups of the user too. */
export interface Who {
  readonly uid: number;
  readonly gid: number;
  readonly groups: boolean;
}

/** What is started, and what Node is to set before. */
export interface Afresh {
  readonly command: readonly string[];
  readonly identity?: { readonly uid: number; readonly gid: number };
}

/** The command as this user, or as the daemon's own, without the daemon's nice value, OOM score and limits of root. */
export function afresh(command: readonly string[], who: Who | undefined): Afresh {
  const own = [...withOwnNice(), ...withOwnScore()];
  if (process.getuid?.() !== 0) return { command: [...own, ...command] };
  const before = [...(isLimited() ? ROOT_AGAIN : []), ...own];
  if (who === undefined || (who.uid === 0 && !who.groups)) return { command: [...before, ...command] };
  if (before.length === 0 && !who.groups) return { command, identity: { uid: who.uid, gid: who.gid } };
  // As root still: not everybody may have what the daemon was denied.
  return { command: [...before, ...asUser(who), ...command] };
}

/**
 * The unit lets the daemon's processes have their few capabilities only, by SECBIT_NOROOT (capabilities(7)): root is a
 * user like others. For programs of others root is root, as under keepalived, and setuid programs work.
 */
export const ROOT_AGAIN: readonly string[] = ['setpriv', '--securebits=-noroot', '--inh-caps=-all', '--'];

/** Whether root is limited so: else it has all that its bounding set allows. */
export function isLimited(): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  const [permitted, bounding] = ['CapPrm', 'CapBnd'].map(
    (name) => new RegExp(`^${name}:\\s*(\\S+)$`, 'm').exec(status)?.[1],
  );
  return process.getuid?.() === 0 && permitted !== bounding;
}

/**
 * setpriv(1) of util-linux: Node cannot set the groups of another process. It has root's rights until it executes
 * something, and would execute what only root may; a shell has them no more.
 */
const asUser = ({ uid, gid, groups }: Who): string[] => [
  'setpriv',
  `--reuid=${uid}`,
  `--regid=${gid}`,
  groups ? '--init-groups' : '--clear-groups',
  '--',
  ...['/bin/sh', '-c', 'exec "$@"', 'sh'],
];

/** nice(1) adds. */
function withOwnNice(): string[] {
  const nice = getPriority();
  return nice === 0 ? [] : ['nice', '-n', String(-nice)];
}

/** The unit saves the daemon from the OOM killer, which is not for what eats the memory. Anybody may raise his own. */
function withOwnScore(): string[] {
  const score = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
  return score === 0 ? [] : ['/bin/sh', '-c', 'echo 0 >/proc/self/oom_score_adj; exec "$@"', 'sh'];
}
