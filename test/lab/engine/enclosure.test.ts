import { type ChildProcess, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { spawnEnclosed } from './enclosure.ts';

const enclosure = suite('the enclosure of the lab');

const NAME = `vk${process.pid}`;
const FILES = `echo x >/run/${NAME}; echo x >/var/lib/${NAME}`;
const MESS = `ip netns add ${NAME}; ip link add ${NAME} type veth; ${FILES}; echo done`;
const here = (): string =>
  spawnSync('sh', ['-c', 'ip netns; ip -o link; ls /run /var/lib'], { encoding: 'utf8' }).stdout;

async function output(child: ChildProcess, until: string): Promise<string> {
  let text = '';
  for await (const piece of child.stdout?.setEncoding('utf8') ?? []) {
    text += piece;
    if (text.includes(until)) break;
  }
  return text;
}

const ended = (child: ChildProcess): Promise<number | string | null> =>
  new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve(signal ?? code));
  });

enclosure('what happens inside is not seen outside', async () => {
  const child = spawnEnclosed(['sh', '-c', `${MESS}; ip netns; exit 3`]);
  const [text, status] = await Promise.all([output(child, `done\n${NAME}`), ended(child)]);
  assert.match(text, NAME);
  assert.is(status, 3);
  assert.not.match(here(), NAME);
});

enclosure('killed, it takes every process with it', async () => {
  const marker = `1000.${process.pid}`;
  const child = spawnEnclosed(['sh', '-c', `setsid sleep ${marker} & echo started; wait`]);
  await output(child, 'started');
  const isSleep = (pid: string): boolean =>
    existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marker);
  const sleeps = (): string[] =>
    spawnSync('ls', ['/proc'], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter((pid) => /^\d+$/.test(pid) && isSleep(pid));
  assert.ok(sleeps().length > 0);
  child.kill('SIGKILL');
  await ended(child);
  for (let tries = 0; sleeps().length > 0 && tries < 100; tries++) spawnSync('sleep', ['0.05']);
  assert.equal(sleeps(), []);
});

enclosure.run();
