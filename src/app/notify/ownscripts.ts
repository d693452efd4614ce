import type { Configuration } from '../../core/config/model.ts';
import { toMillis, toSeconds } from '../../core/time.ts';
import type { Level } from '../messages.ts';
import { runScript } from './hooks.ts';
import { scriptRules } from './notifier.ts';

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2000;

/**
 * `startup_script` or `shutdown_script`: run to its end, or to its timeout. What it does badly is logged and changes
 * nothing, as in keepalived. `broken` ends it early: the daemon stops before it has begun.
 */
export async function runOwnScript(
  configuration: Configuration,
  which: 'startup' | 'shutdown',
  log: (level: Level, message: string) => void,
  broken?: AbortSignal,
): Promise<void> {
  const script = configuration.global[which];
  if (script === undefined || broken?.aborted) return;
  const name = `${which}_script`;
  await new Promise<void>((resolve) => {
    const program = runScript({ ...script, environment: {} }, scriptRules(configuration), ({ why, said }) => {
      for (const timer of timers) clearTimeout(timer);
      const tail = said === '' ? '' : `: ${said}`;
      if (why !== undefined) log('warning', `${name}: ${why}${tail}`);
      else log('info', `${name} has run${tail}`);
      resolve();
    });
    const limit = toMillis(script.timeout);
    const timers = [
      setTimeout(() => {
        log('warning', `${name} took longer than ${toSeconds(script.timeout)} s: ended`);
        program?.kill('SIGTERM');
      }, limit),
      setTimeout(() => program?.kill('SIGKILL'), limit + GRACE_MS),
    ];
    broken?.addEventListener('abort', () => {
      program?.kill('SIGTERM');
      timers.push(setTimeout(() => program?.kill('SIGKILL'), GRACE_MS));
    });
  });
}
