import { pbkdf2 } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

/** Set by the runner where time is short: by how many repetitions are divided. */
export const FEWER = 'VIPKEEPER_FEWER_REPETITIONS';

/**
 * How often something random is tried: the usual number, the other one with VIPKEEPER_LONG=1, or a part of the usual
 * where the runner found the machine slow. What is tried stays the same.
 */
export function repetitions(usual: number, long: number = usual): number {
  if (process.env.VIPKEEPER_LONG === '1') return long;
  return Math.ceil(usual / Number(process.env[FEWER] ?? 1));
}

/** For the environment of a test file: repetitions are divided by so much more. */
export const fewerBy = (times: number): Record<string, string> => ({
  [FEWER]: `${Number(process.env[FEWER] ?? 1) * times}`,
});

/** Set by the runner where it runs a file once more, on another Node. */
export const AGAIN = 'VIPKEEPER_AGAIN';

const AGAIN_AFTER = 1_000_000;

/**
 * Which seeds are played, from the first to the last: so many as `repetitions` says, and others where the file runs
 * once more. The variable SEEDS=FROM-TO names them.
 */
export function seeds(usual: number, long: number = usual): { readonly from: number; readonly to: number } {
  const [from, to] = (process.env.SEEDS ?? '').split('-').map(Number);
  if (from !== undefined && to !== undefined) return { from, to };
  const many = repetitions(usual, long);
  const before = process.env[AGAIN] === undefined ? 0 : AGAIN_AFTER;
  return { from: before + 1, to: before + many };
}

/** Work that takes so long on an idle machine of this year. */
const ROUNDS = 1_000_000;
const ROUNDS_MILLISECONDS = 850;
/** A machine that is as slow as this has time enough. */
const USUAL = 2;
const MOST = 10;

/**
 * By how many repetitions are to be divided: 1 on a machine that works as fast as usual on all of its CPUs, up to 10 on
 * one that is slow or busy. Takes a second, or as long as it takes there.
 */
export async function measureHaste(): Promise<number> {
  const begin = performance.now();
  const work = (): Promise<Buffer> => promisify(pbkdf2)('speed', 'salt', ROUNDS, 32, 'sha256');
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return hasteOf((performance.now() - begin) / ROUNDS_MILLISECONDS);
}

/** The same from how many times slower than usual the machine is. */
export const hasteOf = (slowness: number): number =>
  slowness <= USUAL ? 1 : Math.min(Math.round((slowness / USUAL) * 10) / 10, MOST);
