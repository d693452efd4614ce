import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Heartbeats } from '../../src/core/fence/heartbeat.ts';
import { HeartbeatCodec, type Word } from '../../src/core/fence/heartbeat-codec.ts';
import { seconds } from '../../src/core/time.ts';
import { now, utc } from '../../src/io/clock.ts';
import { readKey } from '../../src/io/keyring.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';
import { eventually } from './stage.ts';

/** The witness as a program: directors speak to it over loopback. */
await enclose();
const test = suite('the witness');

const PROGRAM = join(ROOT, 'bin/vipkeeper-witness');
const folder = mkdtempSync(join(tmpdir(), 'witness-'));
const keys = join(folder, 'keys');
const keyFile = (cluster: string): string => join(keys, `${cluster}.key`);
let witness: ChildProcess | undefined;
let log = '';
let port = 0;

function writeKey(cluster: string, ...lines: readonly string[]): void {
  writeFileSync(keyFile(cluster), `${lines.join('\n')}\n`, { mode: 0o600 });
}

async function start(): Promise<void> {
  log = '';
  witness = spawn(PROGRAM, ['--keys', keys, '--listen', '127.0.0.1:0', '--longest', '1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  witness.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await eventually(() => /port \d+/.test(log), 'the witness listens');
  port = Number(/port (\d+)/.exec(log)?.[1]);
}

async function stop(): Promise<void> {
  if (witness === undefined) return;
  const ended = once(witness, 'exit');
  witness.kill('SIGTERM');
  assert.equal(await ended, [0, null]);
  witness = undefined;
}

/** A director that says things, and what it was answered. */
class Director {
  readonly heartbeats: Heartbeats;
  readonly #codec: HeartbeatCodec;
  readonly #socket = createSocket('udp4');
  readonly heard: Word[] = [];
  answers = 0;

  constructor(name: string, cluster = 'web', key = keyFile(cluster)) {
    this.heartbeats = new Heartbeats({ name, life: `${name}1`, peers: ['witness'] });
    this.#codec = new HeartbeatCodec(cluster, readKey(key));
    this.#socket.on('message', (datagram) => {
      const heartbeat = this.#codec.read(datagram);
      this.answers += 1;
      const accepted = typeof heartbeat === 'string' ? undefined : this.heartbeats.accept(heartbeat, now());
      if (accepted?.ok) this.heard.push(...accepted.heard.words);
    });
  }
  say(...words: readonly Word[]): void {
    const heartbeat = this.heartbeats.compose('witness', words, now(), utc());
    for (const datagram of this.#codec.write(heartbeat)) this.#socket.send(datagram, port, '127.0.0.1');
  }
  async greet(): Promise<void> {
    this.say();
    await eventually(() => this.answers > 0, 'the witness answers');
  }
  /** Asks until it is answered so. */
  async ask(type: 'granted' | 'refused', ...numbers: readonly number[]): Promise<void> {
    let number = numbers[0] ?? 1;
    await eventually(() => {
      this.say({ type: 'ask', claim: 'VI_1', number: number++, duration: seconds(1), priority: 100 });
      const last = this.heard.at(-1);
      return last?.type === 'answer' && last.answer.type === type;
    }, `the witness has ${type}`);
  }
  close(): void {
    this.#socket.close();
  }
}

test.before(() => {
  mkdirSync(keys);
  writeKey('web', 'a secret of the cluster web');
});
test.after.each(stop);
test.after(() => rmSync(folder, { recursive: true }));

test('one director at a time has its vote, and a start forgets nothing that matters', async () => {
  await start();
  const [a, b] = [new Director('a'), new Director('b')];
  await a.greet();
  await b.greet();
  // It has just started.
  await a.ask('refused');
  await a.ask('granted', 1000);
  await b.ask('refused');
  a.say({ type: 'release', claim: 'VI_1', number: 1_000_000 });
  await b.ask('granted', 1000);
  await stop();
  await start();
  a.answers = 0;
  await a.greet();
  await a.ask('refused', 2_000_000);
  a.close();
  b.close();
});

test('another key, an unknown cluster and noise are dropped and said once', async () => {
  await start();
  writeFileSync(join(folder, 'other.key'), 'quite another secret\n', { mode: 0o600 });
  const thief = new Director('a', 'web', join(folder, 'other.key'));
  const lost = new Director('a', 'mail', join(folder, 'other.key'));
  for (let i = 0; i < 50; i++) {
    thief.say({ type: 'ask', claim: 'VI_1', number: i, duration: seconds(1), priority: 100 });
    lost.say();
  }
  await eventually(() => log.includes('wrong key') && log.includes('no key'), 'both are said');
  assert.is(log.split('\n').filter((line) => line.includes('wrong key')).length, 1);
  assert.is(thief.answers + lost.answers, 0);
  thief.close();
  lost.close();
});

test('a key is replaced without a pause: both are good while both are in the file', async () => {
  await start();
  const a = new Director('a');
  await a.greet();
  writeKey('web', 'a new secret of the cluster', 'a secret of the cluster web');
  witness?.kill('SIGHUP');
  a.answers = 0;
  await a.greet();
  const b = new Director('b');
  await b.greet();
  a.close();
  b.close();
  writeKey('web', 'a secret of the cluster web');
});

test('keys that cannot be used are said with what to do', () => {
  const run = (): { readonly status: number | null; readonly stderr: string } =>
    spawnSync(PROGRAM, ['--keys', keys, '--listen', '127.0.0.1:0'], { encoding: 'utf8', timeout: 60_000 });
  chmodSync(keyFile('web'), 0o644);
  const open = run();
  assert.is(open.status, 2);
  assert.match(open.stderr, /every user can read .*web\.key, which is a key: chmod o= /);
  writeKey('web', 'short');
  chmodSync(keyFile('web'), 0o600);
  assert.match(run().stderr, /shorter than 16 bytes: openssl rand -hex 32/);
  rmSync(keyFile('web'));
  assert.match(run().stderr, /no usable CLUSTER\.key in/);
  writeKey('web', 'a secret of the cluster web');
});

test.run();
