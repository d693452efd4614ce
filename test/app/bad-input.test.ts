import { chmodSync, chownSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { ROUTER, SERVER, Stage, VIP } from './stage.ts';

await enclose();

const WRONG =
  ROUTER.replace('priority 255', 'priorty 255').replace('id 7', 'id 700') + SERVER.replace('80 {', '99999 {');
/** Each finding: place, message, the line, the mark below the word. */
const FINDINGS = [
  /^FILE:3:21: error: .*\n {6}3 \| {3}virtual_router_id 700\n {8}\| {21}\^~~$/m,
  /^FILE:4:3: error: unknown keyword 'priorty'.*\n {6}4 \| {3}priorty 255\n {8}\| {3}\^~{6}\n {8}= .*priority/m,
  /^FILE:10:27: error: .*\n {5}10 \| virtual_server 10.9.0.100 99999 \{\n {8}\| {27}\^~{4}$/m,
];

const test = suite('the daemon and bad input');
const stage = new Stage();
test.before.each(() => stage.configure(ROUTER));
test.after(() => stage.close());

function showsAll(text: string): void {
  for (const finding of FINDINGS) {
    assert.match(text, new RegExp(finding.source.replace('FILE', stage.file), 'm'));
  }
}
function untouched(): void {
  assert.not.ok(existsSync(stage.runDir));
  assert.not.ok(existsSync(stage.stateDir));
  assert.not.ok(stage.holdsVip());
}

test('every error of a configuration at once, and no daemon', () => {
  stage.configure(WRONG);
  for (const options of [[], ['-n']]) {
    const { status, stderr } = stage.daemon(...options);
    assert.is(status, 2);
    showsAll(stderr);
    assert.match(stderr, /^\d+ errors, \d+ warnings?\n$/m);
    untouched();
  }
});

test('-t says the same and ends with 5; to a file, without a word', () => {
  stage.configure(WRONG);
  const shown = stage.daemon('-t');
  assert.is(shown.status, 5);
  showsAll(shown.stderr);
  const report = join(stage.folder, 'report');
  assert.equal(stage.daemon('-t', report), { status: 5, stdout: '', stderr: '' });
  assert.is(readFileSync(report, 'utf8'), shown.stderr);
  rmSync(report);
  const nowhere = stage.daemon('-t', join(stage.file, 'report'));
  assert.is(nowhere.status, 1);
  assert.match(nowhere.stderr, /^vipkeeperd: cannot write the report: ENOTDIR.*\n$/);
  untouched();
});

test('-t of a good one is silent and ends with 0', () => {
  assert.equal(stage.daemon('-t'), { status: 0, stdout: '', stderr: '' });
  untouched();
});

test('a file that is not there, is a folder, or may not be read', () => {
  chownSync(stage.file, 65534, 65534);
  chmodSync(stage.file, 0o600);
  const powerless = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
  const denied = stage.run([...powerless, ...stage.command('-t')]);
  assert.is(denied.status, 4);
  assert.match(denied.stderr, `${stage.file} may not be read`);
  const folder = stage.daemon('-t', '-f', stage.folder);
  assert.is(folder.status, 4);
  assert.match(folder.stderr, 'is not a regular file');
  assert.is(stage.daemon('-t', '-f', '/nonexistent').status, 4);
  const start = stage.daemon('-f', '/nonexistent');
  assert.is(start.status, 2);
  assert.match(start.stderr, /error: the configuration cannot be read: \/nonexistent does not exist/);
});

test('a binary file gives errors, not an avalanche', () => {
  const { status, stderr } = stage.daemon('-t', '-f', process.execPath);
  assert.ok(status === 4 || status === 5, `status ${status}`);
  assert.ok(stderr.length < 1 << 20, `${stderr.length} characters`);
});

test('options that make no sense end with 2 and say where help is', () => {
  for (const [words, said] of [
    [['--nonsense'], /unknown option '--nonsense'/],
    [['-S', 'nowhere'], /'nowhere' is invalid\. It is 0-7, local0-local7, user or daemon/],
    [['-f'], /argument missing/],
    [['surplus'], /too many arguments/],
  ] as const) {
    const { status, stderr } = stage.daemon(...words);
    assert.is(status, 2, words.join(' '));
    assert.match(stderr, said);
    assert.match(stderr, 'vipkeeperd --help lists the options');
  }
  untouched();
});

test('a missing capability is named, with what it is for', () => {
  for (const [without, named] of [
    ['-net_raw', ['CAP_NET_RAW']],
    ['-net_admin', ['CAP_NET_ADMIN']],
    ['-all', ['CAP_NET_ADMIN', 'CAP_NET_RAW']],
  ] as const) {
    const { status, stderr } = stage.run(['setpriv', `--bounding-set=${without}`, ...stage.command()]);
    assert.is(status, 4);
    for (const name of ['CAP_NET_ADMIN', 'CAP_NET_RAW']) {
      assert.is(stderr.includes(`${name} (to `), (named as readonly string[]).includes(name), stderr);
    }
  }
  untouched();
});

test('without IPVS in the kernel one error says how to get it, and VRRP runs with -P', () => {
  stage.configure(ROUTER + SERVER);
  const { status, stderr } = stage.daemon();
  if (existsSync('/proc/net/ip_vs')) {
    assert.equal([status, stderr], [0, '']);
    stage.stop();
  } else {
    assert.is(status, 1);
    assert.match(
      stderr,
      /^vipkeeperd: the kernel has no IPVS \(ip_vs\): load it with "modprobe ip_vs".* -P\n$/,
    );
  }
  assert.not.ok(stage.holdsVip(), `${VIP} is left behind`);
  assert.equal(stage.daemon('-P'), { status: 0, stdout: '', stderr: '' });
  assert.ok(stage.holdsVip());
  stage.stop();
  assert.not.ok(stage.holdsVip());
});

test('a second daemon is refused, and the first does not notice', () => {
  assert.is(stage.daemon('-P').status, 0);
  const pid = stage.pid('vipkeeperd');
  const another = ['-p', join(stage.folder, 'another.pid')];
  for (const options of [['-P'], ['-P', '-n'], ['-P', ...another]]) {
    const { status, stderr } = stage.daemon(...options);
    assert.is(status, 1);
    assert.match(stderr, `vipkeeperd: already running as process ${pid} (${stage.runDir}/vipkeeperd.pid)`);
  }
  assert.is(stage.operator('status').status, 0);
  assert.ok(stage.holdsVip());
  stage.stop();
});

test('folders and files that cannot be used are named', () => {
  const below = join(stage.file, 'below');
  for (const [options, said] of [
    [['--run-dir', below], `cannot lock the run folder ${below}: ENOTDIR: not a directory, mkdir '${below}'`],
    [['--state-dir', below], `cannot keep the operator's decisions in ${below}: ENOTDIR`],
    [['-g', below], `ENOTDIR: not a directory, open '${below}'`],
  ] as const) {
    for (const mode of [[], ['-n']]) {
      const { status, stderr } = stage.daemon('-P', ...options, ...mode);
      assert.is(status, 1);
      assert.ok(stderr.startsWith(`vipkeeperd: ${said}`), stderr);
      assert.is(stderr.trimEnd().split('\n').length, 1, stderr);
    }
  }
  assert.not.ok(existsSync(join(stage.runDir, 'vipkeeperd.pid')));
});

test.run();
