import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Prng } from '../../src/core/prng.ts';
import { capturedLines, shellWords } from '../core/ipvsadm/captured.ts';
import { repetitions } from '../repetitions.ts';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { drawLine, LISTINGS, line, systematicLines, TABLE } from './lvsadm/lines.ts';
import { daemonLines, oddLines } from './lvsadm/odd.ts';
import { Runner } from './lvsadm/runner.ts';
import type { Line, Ran } from './programs/command-lines.ts';
import { file } from './scene/director.ts';
import { Scene } from './scene/scene.ts';
import { Client, ECHO_PORT, realServer } from './scene/traffic.ts';

/**
 * lvsadm beside ipvsadm: the same command lines to two tables, each edited by both programs in turn; what
 * they print and their exit statuses are compared to the byte.
 */
export const needs = 'kernel';
export const limitSeconds = 2700;

const DRAWN_LINES = repetitions(400);
/** So many lines before the programs change tables. */
const TURN = 40;
const TURNS_BETWEEN_LISTINGS = 10;
const SEED = 20260;
const { SIGSEGV } = constants.signals;

const story = suite('lvsadm beside ipvsadm');
const scene = new Scene();
story.after(() => scene.close());

const lan = scene.link('lan');
const [left, right] = [1, 2].map((n) => scene.host(`d${n}`).on(lan, `10.0.0.${n}/24`, `fd00::${n}/64`));
if (left === undefined || right === undefined) throw new Error('two hosts');
const hosts = file(
  left,
  'hosts',
  `127.0.0.1 localhost vm
10.0.0.11 rs1.example.org
192.168.100.1 a-very-long-host-name-of-a-virtual-service.example.org
10.0.0.12 another-quite-long-host-name-of-a-real-server.example.org
2001:db8:1::11 a-six-address-with-a-very-very-long-name-that-exceeds-sixty-characters.example.org
`,
);
const nsswitch = file(left, 'nsswitch.conf', 'hosts: files\nservices: files\n');
let runners: readonly Runner[] = [];
let compared = 0;

story.before(async () => {
  const files = { '/etc/hosts': hosts, '/etc/nsswitch.conf': nsswitch };
  runners = [await Runner.start(left, files), await Runner.start(right, files)];
});

const shown = ({ words, input }: Line): string =>
  words.map((word) => (/^[\w.:/[\],=+-]+$/.test(word) ? word : JSON.stringify(word))).join(' ') +
  (input === '' ? '' : ` <<< ${JSON.stringify(input)}`);

const asPrinted = (ran: Ran | undefined): Ran | undefined => ran;
/** Two tables differ in the order of the kernel's hash, which `--nosort` shows. */
const linesSorted = (ran: Ran | undefined): Ran | undefined =>
  ran && { ...ran, out: ran.out.split('\n').sort().join('\n') };

/** Gives lines to ipvsadm at one table and to lvsadm at the other. */
async function twin(lines: readonly Line[], theirs: Runner, ours: Runner): Promise<void> {
  const [expected, got] = [await theirs.run('ipvsadm', lines), await ours.run('lvsadm', lines)];
  for (const [index, line] of lines.entries()) {
    const before = lines.slice(0, index).map(shown).join('\n  ');
    const inOrder = theirs === ours || !shown(line).includes('--nosort') ? asPrinted : linesSorted;
    assert.equal(inOrder(got[index]), inOrder(expected[index]), `${shown(line)}\nafter\n  ${before}`);
  }
  compared += lines.length;
}

/** The same lines to both tables, each edited by both programs in turn; then both list both. */
async function same(lines: readonly Line[]): Promise<void> {
  const [left, right] = runners;
  if (left === undefined || right === undefined) throw new Error('two runners');
  await twin([line('-C'), line('--set', '900', '120', '300'), ...TABLE], left, right);
  for (let at = 0; at < lines.length; at += TURN) {
    const isOdd = (at / TURN) % 2 === 1;
    await twin(lines.slice(at, at + TURN), isOdd ? right : left, isOdd ? left : right);
    if (at % (TURN * TURNS_BETWEEN_LISTINGS) === 0 || at + TURN >= lines.length) {
      await twin(LISTINGS, left, left);
      await twin(LISTINGS, right, right);
    }
  }
}

/**
 * Lines where lvsadm differs on purpose: help and version speak for themselves; marks above 2^31 stay
 * positive.
 */
const differs = ({ words }: Line): boolean =>
  /^(-h|-v|--help|--version)/.test(words[0] ?? '') ||
  words.some((word) => /^(4294967295|3000000000|,)$/.test(word) || word.includes('!#:+'));

story('the lines that were captured once', async () => {
  const lines = capturedLines('verdicts.txt').map((each) => line(...shellWords(each.split('\t')[1] ?? '')));
  await same(lines.filter((each) => !differs(each)));
});

story('every value of every option', async () => {
  await same(systematicLines().filter((each) => !differs(each)));
});

story('glued, repeated and abbreviated options, odd orders and spellings, input of -R', async () => {
  await same(oddLines());
});

story('sync daemons that run', async () => {
  const [left, right] = runners;
  if (left === undefined || right === undefined) throw new Error('two runners');
  for (const lines of daemonLines()) {
    await twin([line('-C'), ...lines], left, right);
    await twin([line('-L', '--daemon')], left, left);
    await twin([line('-L', '--daemon')], right, right);
    await twin([line('--stop-daemon', 'master'), line('--stop-daemon', 'backup')], right, left);
  }
});

story('lines drawn by chance', async () => {
  const prng = new Prng(SEED);
  await same(Array.from({ length: DRAWN_LINES }, () => drawLine(prng)));
});

story('connections, counters and rates of real traffic', async () => {
  const rack = scene.link('rack');
  left.on(rack, '192.168.1.1/24').address('lo', '10.0.0.100/32').forwarding();
  const server = scene.host('rs1').on(rack, '192.168.1.11/24').via('192.168.1.1');
  const user = scene.host('user').on(lan, '10.0.0.10/24').via('10.0.0.1');
  await realServer(server);
  const service = `10.0.0.100:${ECHO_PORT}`;
  left.run('ipvsadm', '-C');
  left.run('ipvsadm', '-A', '-t', service, '-s', 'rr', '-p', '100');
  left.run('ipvsadm', '-a', '-t', service, '-r', `192.168.1.11:${ECHO_PORT}`, '-m');
  const client = await Client.start(user);
  await client.open(5, '10.0.0.100');
  await client.everyConnectionAnswers();
  await client.close();
  const lists = ['-L -c', '-L -n -c', '-L -n -c --persistent-conn', '-L -n --stats', '-L -n --stats -X'];
  for (const list of [...lists, '-L -n --rate', '-L -n', '-L -n --persistent-conn', '-L --thresholds']) {
    const still = await runners[0]?.whileStill(line(...list.split(' ')));
    assert.ok(still !== undefined);
    assert.equal(still.ours, still.theirs, list);
    if (list.includes('-c')) assert.match(still.ours.out, '10.0.0.100');
    compared++;
  }
});

story('as processes of their own: names, standard input, exit statuses, no privilege', () => {
  const ours = join(scene.folder, 'ipvsadm');
  symlinkSync(join(ROOT, 'bin/lvsadm'), ours);
  // Root without the right to it: another user might not be able to read the project.
  const powerless = ['setpriv', '--bounding-set=-net_admin'];
  const lines: readonly (readonly [string, string?, (readonly string[])?])[] = [
    ['-C'],
    ['-R', '-A -t 10.9.9.9:80 -s rr\nipvsadm -a -t 10.9.9.9:80 -r 10.0.0.7 -m\n\n-Ln\n'],
    ['-R', '-A -t 10.9.9.9:80\n-A --nosuch\n-A -t 10.9.9.9:81'],
    ['-R', '-A -t 10.9.9.9:80\nfoo\n-A -t 10.9.9.9:82'],
    ['-R', '-A -t 10.9.9.9:80'],
    ['-L -n'],
    ['-S -n'],
    ['-L -t 10.9.9.8:80'],
    ['-A'],
    ['-n'],
    ['-Ln', '', powerless],
    ['-A', '', powerless],
  ];
  for (const [words, input = '', before = []] of lines) {
    const [got, expected] = [ours, 'ipvsadm'].map((program) => {
      left.run('ipvsadm', '-C');
      const [command = '', ...rest] = left.command(...before, program, ...words.split(' '));
      const { stdout, stderr, status } = spawnSync(command, rest, { input, encoding: 'utf8' });
      return { stdout, stderr: stderr.replaceAll(ours, 'ipvsadm'), status };
    });
    assert.equal(got, expected, words);
    compared++;
  }
});

/** The four ways to save and restore: what either program wrote, read by either. */
story('the table is saved and restored as by ipvsadm-save and ipvsadm-restore', () => {
  const saves = ['ipvsadm-save', join(ROOT, 'bin/lvsadm-save')];
  const restores = ['ipvsadm-restore', join(ROOT, 'bin/lvsadm-restore')];
  const run = (input: string, ...words: string[]): Ran => {
    const [command = '', ...rest] = left.command(...words);
    const { stdout, stderr, status } = spawnSync(command, rest, { input, encoding: 'utf8' });
    return { out: stdout, err: stderr.replace(/\blvsadm/g, 'ipvsadm'), status: status ?? -1 };
  };
  left.run('ipvsadm', '-C');
  const saved = TABLE.map(({ words }) => `${words.join(' ')}\n`).join('');
  assert.is(run(saved, 'lvsadm-restore-is-not-installed').status, 1);
  assert.equal(run(`# a comment\n${saved}`, restores[1] ?? ''), { out: '', err: '', status: 0 });
  const whole = left.run('ipvsadm', '-Sn');
  assert.is(whole.split('\n').length - 1, TABLE.length);
  for (const options of [['-n'], [], ['-x'], ['-n', '-n', 'word']]) {
    const [theirs, ours] = saves.map((save) => run('', save, ...options));
    assert.equal(ours, theirs, options.join(' '));
    for (const restore of options[0] === '-n' ? restores : []) {
      left.run('ipvsadm', '-A', '-t', '9.9.9.9:9');
      assert.equal(run(ours?.out ?? '', restore), { out: '', err: '', status: 0 });
      assert.is(left.run('ipvsadm', '-Sn'), whole);
    }
    compared++;
  }
  for (const input of [
    '',
    '-A -t 1.2.3.4:80\n-A -t 1.2.3.4:80\n',
    '-A -t 1.2.3.4:80\nnonsense\n-C',
    '-Ln\n',
  ]) {
    const [theirs, ours] = restores.map((restore) => [run(input, restore), left.run('ipvsadm', '-Sn')]);
    assert.equal(ours, theirs, input);
    compared++;
  }
});

story('the listings as data say what the listings say', async () => {
  const ours = async (...words: string[]): Promise<string> => {
    const [ran] = (await runners[0]?.run('lvsadm', [line(...words)])) ?? [];
    assert.equal([ran?.err, ran?.status], ['', 0], words.join(' '));
    return ran?.out ?? '';
  };
  left.run('ipvsadm', '-C');
  for (const { words } of TABLE) await ours(...words);
  await ours('--set', '900', '120', '300');
  const { services, version } = JSON.parse(await ours('-L', '--json')) as {
    readonly version: string;
    readonly services: readonly { readonly scheduler: string; readonly destinations: readonly object[] }[];
  };
  assert.is(version, '1.2.1');
  const listed = left.run('ipvsadm', '-Ln').split('\n').slice(3, -1);
  const words = services.flatMap(({ scheduler, destinations }) => [
    scheduler,
    ...destinations.map(() => '->'),
  ]);
  assert.equal(
    words,
    listed.map((text) => (text.startsWith('  ->') ? '->' : text.replace(/ IPv6/, '').trim().split(/\s+/)[2])),
  );
  const one = JSON.parse(await ours('-L', '-u', '192.168.100.1:5060', '--json'));
  assert.equal(one.services[0].persistence, { timeout: 60, netmask: '255.255.255.255', engine: 'sip' });
  assert.equal(JSON.parse(await ours('-L', '--timeout', '--json')), {
    timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
  });
  // With servers of another family than their service's the kernel starts no sync daemon.
  await ours('-C');
  await ours('--start-daemon', 'backup', '--mcast-interface', 'lan', '--syncid', '7');
  const { daemons } = JSON.parse(await ours('-L', '--daemon', '--json'));
  assert.equal([daemons.length, daemons[0].role, daemons[0].syncId, daemons[0].port], [1, 'backup', 7, 8848]);
  await ours('--stop-daemon', 'backup');
});

story('an output that is full, closed or not read is no failure of a listing', () => {
  left.run('ipvsadm', '-C');
  left.run('ipvsadm', '-A', '-t', '1.2.3.4:80');
  const end = (program: string, redirect: string): string =>
    left.run('bash', '-c', `{ ${program} ${redirect}; } 2>&1; echo "\${PIPESTATUS[0]}"`).trim();
  const theirs = 'ipvsadm';
  const ours = join(ROOT, 'bin/lvsadm');
  for (const redirect of [
    '-L -n >/dev/full',
    '-L -n >&-',
    '-h >/dev/full',
    '-L -n -c >/dev/full',
    '-A -f x 2>/dev/full',
  ])
    assert.is(end(ours, redirect), end(theirs, redirect), redirect);
  assert.is(
    end(ours, '-S -n >/dev/full'),
    'the table is not saved: ENOSPC: no space left on device, write\n1',
  );
});

story('where lvsadm differs on purpose', async () => {
  const run = async (program: 'ipvsadm' | 'lvsadm', ...words: string[]): Promise<Ran | undefined> =>
    (await runners[0]?.run(program, [line(...words)]))?.[0];
  const ours = (...words: string[]): Promise<Ran | undefined> => run('lvsadm', ...words);
  await ours('-C');
  // ipvsadm prints -1, which it does not read again.
  await ours('-A', '-f', '4294967295');
  assert.is((await ours('-S'))?.out, '-A -f 4294967295 -s wlc\n');
  // ipvsadm ends by SIGSEGV.
  assert.is((await run('ipvsadm', '-A', '-f', '5', '-b', ','))?.status, 128 + SIGSEGV);
  assert.equal(await ours('-A', '-f', '5', '-b', ','), {
    out: '',
    err: "invalid scheduler flag `,'\n",
    status: 2,
  });
});

story.after(() => console.log(`${compared} runs of both programs were compared`));
story.run();
