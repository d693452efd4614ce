import { execFileSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { ROUTER, SERVER, Stage, until } from './stage.ts';

await enclose();

/** The doctor on a host of its own, with and without a daemon. */
const test = suite('the doctor on a host');
const stage = new Stage();
test.after.each(() => {
  if (stage.runs) stage.stop();
});
test.after(() => stage.close());

const MARKED = SERVER.replace(/virtual_server \S+ \d+/, 'virtual_server fwmark 7');

test('without a daemon: each finding with the command that mends it, and then it is mended', () => {
  stage.configure(ROUTER + SERVER.replace('NAT', 'DR') + MARKED.replace('NAT', 'DR'));
  execFileSync('ip', ['link', 'set', 'lan', 'multicast', 'off']);
  const sick = stage.operator('doctor', stage.file);
  assert.equal([sick.status, sick.stderr], [1, '']);
  assert.match(
    sick.stdout,
    'error: interfaces: lan sends no multicast, which web needs without unicast_peer\n',
  );
  assert.match(sick.stdout, '\n    ip link set lan multicast on\n');
  assert.match(sick.stdout, 'error: marks: no rule gives packets the mark 7');
  assert.match(sick.stdout, 'not looked at: what other routers say: no daemon runs here');
  execFileSync('ip', ['link', 'set', 'lan', 'multicast', 'on']);
  const rule = 'add rule ip t c tcp dport 80 meta mark set 7';
  for (const command of [
    'add table ip t',
    'add chain ip t c { type filter hook prerouting priority -150 ; }',
    rule,
  ])
    execFileSync('nft', [command]);
  const { findings } = JSON.parse(stage.operator('doctor', stage.file, '--json').stdout);
  const subjects = findings.map(({ subject }: { subject: string }) => subject);
  // Modules and the clock are this machine's own.
  assert.equal(
    subjects.filter((subject: string) => !['kernel modules', 'clocks', 'conntrack'].includes(subject)),
    [],
  );
});

test('with a daemon: its configuration, and what its routers hear', () => {
  stage.start(ROUTER.replace('255', '100'));
  until(() => stage.router('web').state === 'MASTER', 'it is master');
  const { stdout } = stage.operator('doctor');
  assert.not.match(stdout, 'not looked at: what other routers say');
  assert.not.match(stdout, 'peer: web');
});

test('a configuration with errors is not examined', () => {
  stage.configure(ROUTER.replace('priority', 'priorty'));
  const { status, stderr } = stage.operator('doctor', stage.file);
  assert.is(status, 1);
  assert.match(stderr, "unknown keyword 'priorty'");
  assert.match(stderr, 'has errors: there is nothing to examine');
});

test.run();
