import { fork } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { Recordings } from '../../src/app/supervisor/recordings.ts';
import { NO_STATICS } from '../../src/core/reconcile/settings.ts';
import { plainText } from '../../src/core/record/plain.ts';
import { heading, readRecording } from '../../src/core/record/recording.ts';
import { replay } from '../../src/core/record/replay.ts';
import { seconds } from '../../src/core/time.ts';
import { readRecordingFile } from '../../src/io/recordings.ts';
import { SETTINGS } from '../core/vrrp/router.ts';
import { eventually } from '../io/namespace.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';
import { ROUTER, Stage, until } from './stage.ts';

await enclose();

/** Recordings of a daemon that runs, and of a process that breaks. */
const test = suite('record and replay');

let stage: Stage;
test.before(() => {
  process.env.TZ = 'UTC';
  stage = new Stage();
  stage.start(
    `${ROUTER.replace('advert_int 1', 'advert_int 1\n  authentication {\n auth_type PASS\n auth_pass geheim\n }')}`,
  );
  until(() => stage.router().state === 'MASTER', 'the router is master');
});
test.after(() => {
  stage.stop();
  stage.close();
});

interface Shown {
  readonly kind: string;
  readonly name: string;
  readonly equal: boolean;
  readonly within?: readonly Omit<Shown, 'equal'>[];
}

const file = (name: string): string => join(stage.folder, name);

test('what runs is recorded, replays with equal effects, and shows how it stood', () => {
  const { status, stdout, stderr } = stage.operator('record', '-o', file('now'));
  assert.is(status, 0, stderr);
  assert.is(stdout, `${file('now')}\n`);
  assert.is(statSync(file('now')).mode & 0o777, 0o600);
  assert.not.ok(readRecordingFile(file('now')).join('\n').includes('geheim'));
  const replayed = stage.operator('replay', file('now'));
  assert.is(replayed.status, 0, replayed.stdout);
  assert.match(replayed.stdout, /^ {2}director +\d+ events +\d+ effects {2}equal$/m);
  assert.match(replayed.stdout, /\d\d:\d\d:\d\d\.\d{3} {2}> web: .*-> MASTER: .*owns the addresses/);
  const [, end = ''] = /to (\d\d:\d\d:\d\d\.\d{3})/.exec(replayed.stdout) ?? [];
  const stood = stage.operator('replay', file('now'), '--until', end);
  assert.match(stood.stdout, / state +MASTER for \d/);
  // As the log has it, in its zone or in another one.
  const made = readRecording(readRecordingFile(file('now'))).processes[0]?.utc ?? 0;
  const at = new Date(made / 1e3).toISOString().slice(0, 10);
  for (const time of [`${at}T${end}Z`, `${at} ${end}+00:00`, `${end}Z`])
    assert.is(stage.operator('replay', file('now'), '--until', time).stdout, stood.stdout, time);
  assert.match(stood.stdout, / timer advert +in \d+\.\d ms, at /);
  assert.match(stood.stdout, /last, before that:\n.* [<>] /);
});

test('an anonymous one has other names and addresses, and replays as well', () => {
  assert.is(stage.operator('record', '--anonymous', '-o', file('anonymous')).status, 0);
  const text = readRecordingFile(file('anonymous')).join('\n');
  for (const told of ['"web"', '"lan"', '10.9.0']) assert.not.ok(text.includes(told), told);
  const replayed = stage.operator('replay', file('anonymous'), '--json');
  const runs = JSON.parse(replayed.stdout) as Shown[];
  assert.equal(
    runs.map(({ kind, equal, within }) => [
      kind,
      equal,
      within?.some(({ kind, name }) => kind === 'router' && name === 'name1'),
    ]),
    [['director', true, true]],
  );
});

test('a recording of other decisions ends with 1 and says where; what is none, with its reason', () => {
  stage.operator('record', '-o', file('true'));
  const forged = readRecordingFile(file('true')).map((line) => line.replace('"vrid":7', '"vrid":8'));
  writeFileSync(file('forged'), gzipSync(forged.join('\n')));
  const { status, stdout } = stage.operator('replay', file('forged'));
  assert.is(status, 1);
  assert.match(stdout, /^ {2}director .*different$/m);
  assert.match(stdout, /director at .*: its effects differ\n {2}recorded {2}.*\n {2}replayed/);
  for (const [name, content, why] of [
    ['text', 'no recording', /is no recording of vipkeeper/],
    ['other', gzipSync('{"format":"other"}'), /this is no recording of vipkeeper/],
    ['later', gzipSync('{"format":"vipkeeper recording","form":99}'), /has form 99/],
    ['cut', gzipSync('{"format":"vipkeeper recording","form":2}\n{"value":'), /line 2 .*cannot be read/],
  ] as const) {
    writeFileSync(file(name), content);
    const ended = stage.operator('replay', file(name));
    assert.is(ended.status, 1);
    assert.match(ended.stderr, why);
  }
  assert.is(stage.operator('replay', file('absent')).status, 1);
  assert.is(stage.operator('replay', file('true'), '--until', 'noon').status, 2);
});

test('a process that breaks sends what led to it, and the replay breaks at the same event', async () => {
  const child = fork(join(ROOT, 'build/vrrp'), ['vipkeeper-child', 'vrrp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let text: string | undefined;
  let why: string | undefined;
  child.on('message', (message: { type: string; text: string; why: string }) => {
    if (message.type === 'recording') ({ text, why } = message);
  });
  const rest = {
    groups: [],
    routing: [],
    delays: [],
    bfd: [],
    quietIgmp: false,
    logUnknownVrids: false,
    release: true,
  };
  const configuration = {
    ...rest,
    pacing: { perSecond: undefined },
    statics: NO_STATICS,
    start: { delay: 0, afterBoot: 0 },
    placement: {},
  };
  const told = (advertInterval: number) => ({
    type: 'configure',
    configuration: { ...configuration, instances: [{ ...SETTINGS, interface: 'wire', advertInterval }] },
    detail: false,
  });
  child.send(told(1e6));
  child.send(told(0));
  const status = await new Promise((resolve) => child.once('exit', resolve));
  assert.is(status, 70);
  assert.match(why ?? '', /it broke: .*advert interval 0/);
  const head = plainText(heading('', ''));
  const [track] = readRecording([head, ...(text ?? '').split('\n')]).processes[0]?.tracks ?? [];
  assert.ok(track !== undefined);
  let broke: unknown;
  const { difference } = replay(track, {
    heard: ({ kind, item }) => {
      if (kind === 'broke') broke = item;
    },
  });
  assert.equal(difference, undefined);
  assert.match(String(broke), /advert interval 0/);
});

test('an unexpected change is recorded in the state folder, and not again at once', async () => {
  const log: string[] = [];
  const none = { beginning: seconds(0), follows: seconds(0), pause: seconds(60) };
  const recordings = new Recordings(
    stage.folder,
    () => {
      recordings.heard('vrrp', { type: 'recording', text: '{}\n', done: true });
      return true;
    },
    (_, message) => log.push(message),
    none,
  );
  const happening = { of: 'instance', name: 'web', from: 'MASTER', priority: 100 } as const;
  recordings.happened('vrrp', { ...happening, what: 'BACKUP', cause: 'the operator wants it (maintenance)' });
  recordings.happened('vrrp', { ...happening, what: 'STOP', cause: 'the daemon stops' });
  recordings.happened('vrrp', { ...happening, what: 'FAULT', cause: 'lan has no carrier' });
  recordings.happened('vrrp', { ...happening, what: 'FAULT', cause: 'lan has no carrier' });
  await eventually(() => log[0], 'it is recorded');
  assert.is(log.length, 1);
  assert.ok(log[0]?.startsWith('recorded the last minutes of the vrrp process in '), log[0]);
  assert.ok(log[0]?.endsWith('(web: FAULT, lan has no carrier)'), log[0]);
  assert.is(readdirSync(join(stage.folder, 'recordings')).length, 1);
});

test.run();
