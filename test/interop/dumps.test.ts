import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SIGNALS } from '../../src/core/supervision/signals.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { run } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/** The files that signals have written: of both daemons, on the same configuration. */
await enclose();

const CONFIGURATION = `vrrp_instance web {
  interface lan
  virtual_router_id 7
  version 3
  priority 200
  advert_int 0.1
  notify_master /usr/bin/true
  track_interface {
    other weight 10
  }
  virtual_ipaddress {
    10.9.0.100/24
  }
}
`;

interface Dumped {
  readonly json: readonly {
    readonly data: Record<string, unknown>;
    readonly stats: Record<string, unknown>;
  }[];
  readonly statistics: string;
  readonly cleared: string;
  readonly data: string;
}

/** Has a daemon become master, write all its files, and clear its statistics. */
async function dumped(name: string, command: (folder: string, file: string) => string[]): Promise<Dumped> {
  const scene = new Scene();
  try {
    const host = scene.host('director').on(scene.link('lan'), '10.9.0.1/24').on(scene.link('other'));
    const folder = join(scene.folder, 'written');
    mkdirSync(folder);
    const file = join(scene.folder, 'c.conf');
    writeFileSync(file, CONFIGURATION);
    const program = host.start(name, command(scene.folder, file), { env: { TMPDIR: folder } });
    await scene.until('it is master', () => host.has('10.9.0.100'));
    const write = async (signal: keyof typeof SIGNALS, what: string): Promise<string> => {
      const path = join(folder, what);
      rmSync(path, { force: true });
      await scene.until(`${what} is written`, () => {
        if (existsSync(path) && readFileSync(path, 'utf8').length > 0) return true;
        // Node cannot send a real-time signal.
        run(['kill', `-${SIGNALS[signal]}`, String(program.child.pid)]);
        return false;
      });
      return readFileSync(path, 'utf8');
    };
    // Some adverts, so that there is something to clear.
    const sent = (text: string): number => Number(/Sent: (\d+)/.exec(text)?.[1]);
    await scene.until('it sent some', async () => sent(await write('STATS', 'keepalived.stats')) > 20);
    const json = JSON.parse(await write('JSON', 'keepalived.json'));
    const statistics = await write('STATS_CLEAR', 'keepalived.stats');
    const cleared = await write('STATS', 'keepalived.stats');
    const data = await write('DATA', 'keepalived.data');
    await program.stop();
    return { json, statistics, cleared, data };
  } finally {
    scene.close();
  }
}

const test = suite('files that signals have written');

test('the same members and lines as keepalived has', async () => {
  const theirs = await dumped('keepalived', (folder, file) => {
    return ['keepalived', '-nlGP', '-f', file, '-p', `${folder}/p`, '-r', `${folder}/r`];
  });
  const ours = await dumped('vipkeeperd', (folder, file) => {
    const own = ['--run-dir', `${folder}/run`, '--state-dir', `${folder}/state`];
    return [join(ROOT, 'bin/vipkeeperd'), '-nlGP', '-f', file, ...own];
  });
  const [their, our] = [theirs.json[0], ours.json[0]];
  assert.ok(their !== undefined && our !== undefined);
  for (const [member, value] of Object.entries(our.data)) {
    assert.is(typeof value, typeof their.data[member], `member ${member}`);
  }
  const SAME = ['iname', 'ifp_ifname', 'vrid', 'base_priority', 'effective_priority', 'vipset', 'state'];
  const MORE = ['version', 'adver_int', 'garp_rep', 'nopreempt', 'script_master', 'track_ifp', 'auth_type'];
  for (const member of [...SAME, ...MORE]) assert.equal(our.data[member], their.data[member], member);
  for (const member of Object.keys(their.stats)) assert.type(our.stats[member], 'number', member);
  const labels = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.replace(/: .*/, ''))
      .filter((line) => line !== '');
  for (const label of labels(theirs.statistics)) assert.ok(labels(ours.statistics).includes(label), label);
  const sent = (text: string): number => Number(/Sent: (\d+)/.exec(text)?.[1]);
  assert.ok(sent(ours.cleared) < sent(ours.statistics), `${ours.statistics}${ours.cleared}`);
  assert.match(ours.data, /web +MASTER +210/);
});

test.run();
