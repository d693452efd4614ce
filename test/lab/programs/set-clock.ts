import { readFileSync } from 'node:fs';

/**
 * Loaded before a Node program (`--import`): its wall clock is off by the seconds in the file that TEST_CLOCK names.
 * Only what reads the time of day is told another one, as when an operator sets the clock: timers go on.
 */
const file = process.env.TEST_CLOCK ?? '';
const real = Date.now;
Date.now = () => real() + 1000 * Number(readFileSync(file, 'utf8'));
