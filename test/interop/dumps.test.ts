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

const CONFIGURATION = `global_defs {
  router_id lb1
  script_user root
}
vrrp_script fine {
  script "/usr/bin/test -e /etc/passwd"
  interval 1
  weight 5
}
vrrp_sync_group pair {
  group {
    quiet
  }
}
vrrp_instance web {
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
vrrp_instance quiet {
  interface other
  virtual_router_id 9
  priority 60
  advert_int 2
  virtual_ipaddress {
    10.8.0.2
  }
}
vrrp_instance other {
  interface other
  virtual_router_id 8
  priority 50
  advert_int 1
  nopreempt
  authentication {
    auth_type PASS
    auth_pass 1234
  }
  track_script {
    fine
  }
  virtual_ipaddress {
    10.8.0.1
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
    const host = scene
      .host('director')
      .on(scene.link('lan'), '10.9.0.1/24')
      .on(scene.link('other'), '10.8.0.9/24');
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

/** Lines of keepalived's that have no counterpart here: its own workings, and what it has and we do not. */
const NOT_HERE = [
  /^(fd_in|Flags|Number of track scripts init|Notify (deleted|priority)|Num member|Using smtp notification = no$)/,
  // It names one before any was heard: the group's address.
  /^Master (router|priority) = /,
  /^(Weight|Result|Insecure|Init state|VRRP instances) /,
];

/** What a line says something of, where it does: `Priority`, `10.9.0.100/24 dev lan scope global set`. */
const labelOf = (line: string): string => line.replace(/ = .*/, '');

/** The lines of a section, by what they are about (a virtual router, a script). */
function sections(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    const [begin] = /^------< .* >------$|^ VRRP (Instance|Script|Sync Group) = [^,]+/.exec(line) ?? [];
    if (begin !== undefined) {
      lines = [];
      found.set(begin.trim(), lines);
    }
    if (line.trim() !== '') lines.push(line);
  }
  return found;
}

/** Every line that keepalived has of a router, a group or a script is ours too, but for times and the like. */
function sameData(theirs: string, ours: string): void {
  const [their, our] = [sections(theirs), sections(ours)];
  const CHANGES =
    /^ *(Last transition|Read timeout|Master down timer|Password|Timeout|Send advert after receive higher)/;
  let compared = 0;
  for (const [title, lines] of their) {
    if (!/VRRP (Instance|Script|Sync Group) =/.test(title)) continue;
    const mine = our.get(title);
    assert.ok(mine !== undefined, title);
    for (const line of lines) {
      if (NOT_HERE.some((pattern) => pattern.test(line.trim()))) continue;
      const wanted = CHANGES.test(line) ? labelOf(line) : line;
      const has = mine.some((each) => (CHANGES.test(line) ? labelOf(each) : each) === wanted);
      assert.ok(has, `${title}: ${line}\n--- ours:\n${mine.join('\n')}`);
      compared += 1;
    }
  }
  assert.ok(compared > 60, `${compared} lines are the same`);
  assert.match(ours, /^ {3}Password = \*{8}$/m);
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
  sameData(theirs.data, ours.data);
});

test.run();
