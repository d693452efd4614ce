import { type Happening, PLANNED } from '../notify/happening.ts';

/**
 * Whether somebody will ask why that happened: a master that is none any more, a backup that takes over, a virtual
 * server that lost its quorum. Not what the operator, a reload or the end of the daemon does, nor how it all begins.
 */
export function isUnexpected(happening: Happening): boolean {
  if (happening.of === 'instance') {
    const { from, what, cause } = happening;
    if (cause.includes('(maintenance)') || cause.startsWith(PLANNED)) return false;
    return (
      (from === 'MASTER' && (what === 'BACKUP' || what === 'FAULT')) ||
      (from === 'BACKUP' && what === 'MASTER')
    );
  }
  return happening.of === 'service' && happening.what === 'DOWN' && happening.stopping !== true;
}
