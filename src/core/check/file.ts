import type { FileCheck } from './settings.ts';
import type { CheckResult } from './verdict.ts';

/** The number in a tracked file; 0 for one that is missing or has none. */
export interface FileNews {
  readonly name: string;
  readonly value: number;
}

/** The number times the weight: from here down the server is down (keepalived: IPVS_WEIGHT_FAULT). */
const FAULT = -(2 ** 31);
const MOST = 2 ** 31 - 1;

/** What the number means: up or down, and what it adds to the weight. */
export function judgeFile({ weight, reverse }: FileCheck, { value }: FileNews): CheckResult {
  const reason = `has ${value}`;
  if (weight === 0) return { verdict: (value === 0) !== reverse ? 'good' : 'bad', reason };
  // Never -0, which JSON does not keep.
  const added = value * weight * (reverse ? -1 : 1) + 0;
  return added <= FAULT
    ? { verdict: 'bad', reason }
    : { verdict: 'good', reason, weight: Math.min(MOST, added) };
}
