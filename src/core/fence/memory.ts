import type { FenceOutcome } from './device.ts';

/**
 * Whom this director has switched off, and when: for people, over restarts too, and so that the devices of one that was
 * off before a restart are asked at once. Nothing rests on it: that a director is off now, only its devices say.
 */
export interface FenceRecord extends FenceOutcome {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** When it was heard again. */
  readonly heard?: number;
}

/** The records with this outcome in place of the last of its director, and whether that is news. */
export function recorded(
  records: readonly FenceRecord[],
  outcome: FenceOutcome,
  time: number,
): { readonly records: readonly FenceRecord[]; readonly news: boolean } {
  const before = records.find(({ target }) => target === outcome.target);
  const others = records.filter(({ target }) => target !== outcome.target);
  const { target, what, by, why } = outcome;
  return {
    records: [...others, { target, what, by, why, time }],
    news: before === undefined || before.heard !== undefined || before.what !== what,
  };
}

/** The same when a director is heard again. */
export const heardAgain = (
  records: readonly FenceRecord[],
  target: string,
  time: number,
): readonly FenceRecord[] =>
  records.map((record) =>
    record.target === target && record.heard === undefined ? { ...record, heard: time } : record,
  );

/** Who was off when it was heard of last. */
export const offBefore = (records: readonly FenceRecord[]): string[] =>
  records.flatMap(({ target, what, heard }) => (what !== 'failed' && heard === undefined ? [target] : []));

/** What is written of them, for a file. */
export const recordsText = (records: readonly FenceRecord[]): string =>
  `${JSON.stringify(records, null, 2)}\n`;

/** The records of such a file; what else stands there is not ours. Throws when it is no JSON. */
export function recordsOf(text: string): FenceRecord[] {
  const found: unknown = JSON.parse(text);
  return Array.isArray(found) ? found.filter(isRecord) : [];
}

function isRecord(value: unknown): value is FenceRecord {
  const { target, what, by, why, time, heard } = (value ?? {}) as Partial<Record<keyof FenceRecord, unknown>>;
  const isTime = (each: unknown): boolean => Number.isSafeInteger(each);
  return (
    typeof target === 'string' &&
    ['off', 'failed', 'confirmed'].some((each) => each === what) &&
    Array.isArray(by) &&
    by.every((name) => typeof name === 'string') &&
    typeof why === 'string' &&
    isTime(time) &&
    (heard === undefined || isTime(heard))
  );
}
