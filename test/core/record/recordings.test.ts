import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { anonymous } from '../../../src/core/record/anonymous.ts';
import { type Recording, readRecording } from '../../../src/core/record/recording.ts';
import { replay } from '../../../src/core/record/replay.ts';
import type { EntryKind } from '../../../src/core/record/track.ts';
import { effectWords, eventWords } from '../../../src/core/record/words.ts';
import { readRecordingFile } from '../../../src/io/recordings.ts';
import { ROOT } from '../../lab/engine/root.ts';
import { suite } from '../../suite.ts';

/** Whoever moves a recording to test/recordings has made a test of it: what was decided then is decided today. */
const test = suite('recordings');

const FOLDER = join(ROOT, 'test/recordings');
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.recording'));

/** Whatever was recorded can be told. */
function hasWords(machine: string, kind: EntryKind, item: unknown): void {
  if (kind === 'event' || kind === 'nested') assert.ok(eventWords(machine, item).length > 0);
  if (kind === 'effects')
    for (const effect of item as readonly unknown[]) assert.ok(effectWords(machine, effect).length > 0);
}

/** Fails at the first machine that answers something else; gives how many effects were compared. */
function compared({ processes }: Recording): number {
  let sum = 0;
  for (const { process, tracks } of processes) {
    for (const track of tracks) {
      const { difference, effects, machine } = replay(track, {
        heard: ({ kind, item }) => hasWords(track.kind, kind, item),
      });
      assert.ok(machine !== undefined, `${process}: no machine of the kind ${track.kind}`);
      assert.equal(difference, undefined, `${process}, ${track.name}`);
      sum += effects;
    }
  }
  return sum;
}

test('there are fourteen', () => {
  assert.ok(NAMES.length >= 14, NAMES.join(' '));
});

for (const name of NAMES) {
  test(name, () => {
    const lines = readRecordingFile(join(FOLDER, name));
    assert.ok(compared(readRecording(lines)) > 0);
    assert.ok(compared(readRecording(anonymous(lines))) > 0);
  });
}

test.run();
