import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { PlannedReload, withMarker } from '../../src/app/supervisor/plannedreload.ts';
import { parseReloadTime } from '../../src/core/supervision/reload-time.ts';
import { nextMoment } from '../../src/io/calendar.ts';
import { eventually } from '../io/namespace.ts';
import { suite } from '../suite.ts';

const test = suite('planned reloads');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-reload-'));
test.after(() => rmSync(folder, { recursive: true }));

const next = (text: string, from: string): string | undefined => {
  const time = parseReloadTime(text);
  const moment = time && nextMoment(time, Date.parse(from));
  return moment === undefined ? undefined : new Date(moment).toISOString();
};

test('the forms of a time, and when it is next', () => {
  const from = '2026-11-21T12:00:00Z';
  assert.is(next('13:30:00 Z', from), '2026-11-21T13:30:00.000Z');
  assert.is(next('11:30:00Z\n', from), '2026-11-22T11:30:00.000Z');
  assert.is(next('2026-12-01 00:00:01Z', from), '2026-12-01T00:00:01.000Z');
  assert.is(next('26-12-01 00:00:01Z', from), '2026-12-01T00:00:01.000Z');
  assert.is(next('2026-11-20 00:00:01Z', from), undefined);
  for (const bad of ['', '24:00:00', '1:2:3', '2026-13-01 00:00:00', 'soon', '12:00']) {
    assert.is(parseReloadTime(bad), undefined, bad);
  }
});

test('it happens at its time, once, and the file is taken away', async () => {
  const file = join(folder, 'time');
  let reloads = 0;
  const logged: string[] = [];
  const planned = new PlannedReload(
    () => {
      reloads += 1;
    },
    (_level, message) => logged.push(message),
  );
  planned.configure({ timeFile: file, repeat: false });
  writeFileSync(file, 'not yet\n');
  await eventually(() => logged.find((line) => /no time to come/.test(line)), 'it is said');
  let soon = 0;
  const plan = (): void => {
    soon = Date.now() + 2000;
    const text = new Date(soon).toISOString();
    writeFileSync(file, `${text.slice(0, 10)} ${text.slice(11, 19)}Z\n`);
  };
  plan();
  await eventually(() => {
    if (reloads === 1 && !existsSync(file)) return true;
    // On a busy machine the time may have gone by before it was read.
    if (reloads === 0 && Date.now() > soon + 10_000) plan();
    return undefined;
  }, 'the reload');
  planned.configure({ repeat: false });
});

test('reload_file is there while the work is done, and a reload does not fail of it', () => {
  const marker = join(folder, 'marker');
  const logged: string[] = [];
  const log = (_level: string, message: string): void => void logged.push(message);
  assert.is(
    withMarker(marker, log, () => existsSync(marker)),
    true,
  );
  assert.not(existsSync(marker));
  assert.is(
    withMarker(join(folder, 'no/such'), log, () => 'done'),
    'done',
  );
  assert.match(logged.join(), /reload_file: ENOENT/);
});

test.run();
