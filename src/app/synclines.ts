import type { SyncFacts } from '../core/status/facts.ts';
import { aligned, paint } from '../io/screen.ts';

/** What is known of connection sync, for `status` and `sync status`. */
export function syncLines({ role, running }: SyncFacts): string[] {
  const rows = running.map(({ role: has, interface: device, id, group, port }) => [
    has,
    device,
    `id ${id}`,
    ...(group === null || port === null ? [] : [`group ${group} port ${port}`]),
  ]);
  const wanted = role === undefined ? [] : role === 'both' ? ['master', 'backup'] : [role];
  const missing = wanted.filter((each) => !running.some((daemon) => daemon.role === each));
  return [
    ...aligned(rows.length > 0 ? rows : [['not running']], '  '),
    ...missing.map((each) => paint('red', `  the ${each} daemon should run and does not`)),
  ];
}
