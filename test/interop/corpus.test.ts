import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { load } from '../../src/core/config/load.ts';
import { fileReader } from '../../src/io/files.ts';
import { hostFacts } from '../../src/io/host.ts';
import { generated } from '../core/config/generated.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ip } from '../lab/scene/run.ts';
import { suite } from '../suite.ts';

/**
 * What keepalived runs with is not refused: configurations of packages, and ones made from the keyword tables, with
 * keepalived as the judge.
 */
await enclose();

const GENERATED = process.env.VIPKEEPER_LONG === '1' ? 3000 : 300;
/** Where packages put theirs; what is not installed is not there. */
const FOLDERS = ['/usr/share/doc/keepalived/samples', '/etc/keepalived', '/usr/share/doc/keepalived'];

/** What is an error although keepalived goes on, and why. */
const EXCEPTIONS: readonly (readonly [error: RegExp, reason: string])[] = [
  [/^unknown keyword '/, 'a misspelt word: what it was to do is not done'],
  [/: expected .*, found '/, 'a misspelt value: the same'],
  [/: needs /, 'a value that is missing: the same'],
  [
    /^there is no (vrrp_|track_|bfd_|virtual_)/,
    'a name that nothing has: what it was to watch or serve is not',
  ],
  [/'[{}]'|never closed/, 'braces that do not match: lines count for other blocks than their own'],
  [/ is defined twice /, 'two blocks for one service: which settings it gets is chance'],
  [/has no (url|misc_path) /, 'a check that checks nothing: its server would count as up for ever'],
  [/: there is no peer /, 'unicast_fault_no_peer without a peer: it would be in FAULT for ever'],
];

let folder: string;

const errorsOf = (file: string): string[] =>
  load({ file, reader: fileReader, facts: hostFacts, configId: 'h1' }).diagnostics.flatMap(
    ({ severity, message, at }) => (severity === 'error' ? [`${message} (line ${at.line})`] : []),
  );

/** Whether keepalived runs with a file. Its checkers need IPVS, so only their reading is tried. */
async function runs(file: string): Promise<boolean> {
  const { status } = spawnSync('keepalived', ['-t', '-i', 'h1', '-f', file], { stdio: 'ignore' });
  if (status !== 0 && status !== 5 && status !== 6) return false;
  if (!readFileSync(file, 'utf8').includes('vrrp_instance')) return true;
  const pids = ['-p', join(folder, 'p'), '-r', join(folder, 'r')];
  const child = spawn('keepalived', ['-nlGP', '-i', 'h1', '-f', file, ...pids], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  let said = '';
  let isUp = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (isUp || !/Startup complete|Entering (BACKUP|FAULT) STATE/.test(said)) return;
    isUp = true;
    child.kill('SIGTERM');
  });
  // The next one would find its lock on the pid files.
  await new Promise((resolve) => child.on('exit', resolve));
  return isUp;
}

/** The errors of a file that keepalived runs with, but for those that have a reason. */
async function wronglyRefused(file: string): Promise<string[]> {
  const errors = errorsOf(file).filter((error) => !EXCEPTIONS.some(([known]) => known.test(error)));
  return errors.length > 0 && (await runs(file)) ? errors : [];
}

const test = suite('what keepalived runs with is not refused');

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'corpus-'));
  for (const name of ['eth0', 'eth1']) {
    ip(
      undefined,
      `link add ${name} type veth peer name ${name}p`,
      `link set ${name} up`,
      `link set ${name}p up`,
    );
  }
  ip(undefined, 'address add 192.0.2.1/24 dev eth0', 'address add 198.51.100.1/24 dev eth1');
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Instances that keepalived runs with, the message of each beside the body. */
const GOES_ON: readonly (readonly [body: string, warning: RegExp])[] = [
  ['version 3\nadvert_int 41\nVIP', /at most 40\.95 seconds: that is used/],
  ['virtual_ipaddress {\n10.9.0.1\nfd00::9\n}', /one family, here IPv4: this address is left out/],
  ['authentication { auth_type PASS auth_pass x }\nVIP', /auth_pass stands on the line of auth_type/],
  ['VIP\nunicast_peer {\nfd00::1\n192.0.2.2\n}', /the peer fd00::1 is no IPv4 address/],
  ['unicast_peer {\n192.0.2.1\n192.0.2.2\n}\nVIP', /the peer 192\.0\.2\.1 is this host's own/],
  ['VIP\nmcast_src_ip fd00::1', /mcast_src_ip is no IPv4 address: it has no effect/],
  ['priority 0\nVIP', /found '0': 100 is used/],
  ['garp_interval 1\nVIP', /garp_interval is no keyword of vrrp_instance V/],
  ['lb_algo rr\nVIP', /lb_algo is no keyword of vrrp_instance V/],
  ['notify_master /bin/true nosuchuser\nVIP', /no user nosuchuser: the script is not run/],
  ['VIP\n}\nglobal_defs {\nscript_user nosuchuser', /no user nosuchuser: no script runs that names no user/],
  [
    'VIP\n}\nvirtual_server 10.9.0.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 192.0.2.9 80 {\n' +
      'MISC_CHECK {\nmisc_path /bin/true\nuser nosuchuser\n}\n}',
    /no user nosuchuser: the check fails, and its server is down/,
  ],
  ['VIP\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 6\nVIP', /V is defined twice: the first/],
  ['VIP\n}\nvrrp_instance W {\ninterface eth1\nvirtual_router_id 6\nVIP', /10\.9\.0\.1 .* is there twice/],
];

test('what keepalived goes on with is a warning that says what is done', async () => {
  for (const [body, warning] of GOES_ON) {
    const file = join(folder, 'one.conf');
    const vip = 'virtual_ipaddress {\n10.9.0.1 dev eth0\n}';
    const text = `vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\n${body.replaceAll('VIP', vip)}\n}\n`;
    writeFileSync(file, text);
    const { diagnostics, configuration } = load({
      file,
      reader: fileReader,
      facts: hostFacts,
      configId: 'h1',
    });
    assert.ok(configuration !== undefined, `${body}: ${JSON.stringify(errorsOf(file))}`);
    assert.ok(
      diagnostics.some(({ message }) => warning.test(message)),
      `${body}: ${diagnostics.map(({ message }) => message).join('\n')}`,
    );
    assert.ok(await runs(file), `keepalived runs with: ${body}`);
  }
});

test('configurations of packages', async () => {
  const files = FOLDERS.filter(existsSync).flatMap((path) =>
    readdirSync(path)
      .filter((name) => /^keepalived\.conf/.test(name) && !name.endsWith('SYNOPSIS'))
      .map((name) => join(path, name)),
  );
  assert.ok(files.length >= 25, `${files.length} files`);
  const refused: string[] = [];
  for (const file of files) {
    for (const error of await wronglyRefused(file)) refused.push(`${file}: ${error}`);
  }
  assert.equal(refused, []);
});

test(`${GENERATED} that are made from the keyword tables`, async () => {
  const refused: string[] = [];
  for (let seed = 1; seed <= GENERATED; seed++) {
    const file = join(folder, `${seed}.conf`);
    writeFileSync(file, generated(seed));
    for (const error of await wronglyRefused(file)) refused.push(`seed ${seed}: ${error}`);
  }
  assert.equal(refused, []);
});

test.run();
