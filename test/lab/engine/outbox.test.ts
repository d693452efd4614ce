import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { Outbox } from './outbox.ts';

const test = suite('outbox');

test('no more is in the line than its reader has room for, and all arrives in order', () => {
  const pieces: Buffer[] = [];
  const outbox = new Outbox((piece) => pieces.push(piece));
  const text = Array.from({ length: 2_000 }, (_, i) => `ä${i}`).join();
  outbox.send(text.slice(0, 5_000));
  outbox.send(text.slice(5_000));
  assert.is(pieces.length, 1);
  for (let i = 0; i < pieces.length; i++) {
    const { length } = pieces[i] ?? [];
    assert.ok(length <= 2_048);
    // In two portions, as a reader has them.
    outbox.taken(100);
    outbox.taken(length - 100);
  }
  assert.is(`${Buffer.concat(pieces)}`, text);
});

test.run();
