import type { Configuration } from '../../core/config/model.ts';
import { loadFile } from '../loading.ts';
import type { Level } from '../messages.ts';
import type { DaemonOptions } from '../options.ts';
import { withMarker } from './plannedreload.ts';

/**
 * The configuration as it is in the files now; `undefined` where it can't be used, whatever the reason, which
 * `complain` is told beside all that is wrong in it. Never throws.
 */
export function readAgain(
  options: DaemonOptions,
  running: Configuration,
  log: (level: Level, text: string) => void,
  complain: (level: Level, text: string) => void,
): Configuration | undefined {
  const { marker } = running.global.reload;
  const mark = marker === '' ? `${options.runDir}/keepalived.reload` : marker;
  try {
    const configuration = withMarker(mark, log, () => loadFile(options, complain));
    if (configuration === undefined) {
      log('error', 'reload refused: the configuration has errors; the running one stays in force');
    } else if (movesAway(running, configuration, options)) {
      complain(
        'error',
        'net_namespace and net_namespace_ipvs do not change while the daemon runs: restart it',
      );
      return undefined;
    }
    return configuration;
  } catch (error) {
    const why = (error as Error).message;
    complain('error', `reload refused: ${why}; the running configuration stays in force`);
    return undefined;
  }
}

/** Whether another configuration names other network namespaces; `-s` goes before what it says of ours. */
function movesAway(a: Configuration, b: Configuration, { namespace }: DaemonOptions): boolean {
  const [before, after] = [a, b].map(({ global }) => {
    const { own = null, ipvs = null } = global.namespaces;
    return JSON.stringify([namespace ?? own, ipvs]);
  });
  return before !== after;
}
