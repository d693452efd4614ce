import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { Shell } from './shell.ts';

/**
 * The director's other tests once more, with a director that is made anew before each event: it has nothing but the
 * memory of the one before. A part that remembers less than it knows decides otherwise in one of them.
 */
Shell.forgets = true;
await import('./director.test.ts');
await import('./takeover.test.ts');
await import('./leaving.test.ts');
await import('./handover.test.ts');
await import('./renewals.test.ts');

const test = suite('the memory of the director');

test('each event found nothing but a memory', () => {
  assert.ok(Shell.forgotten > 500, `${Shell.forgotten} times`);
});

test.run();
