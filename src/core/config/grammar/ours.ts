import type { Table } from '../schema.ts';

/** Keywords that keepalived does not know. */
export const ours = <T extends Table>(table: T): T =>
  Object.fromEntries(Object.entries(table).map(([word, spec]) => [word, { ...spec, ours: true }])) as T;
