import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { VERSION } from '../../src/app/version.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';
import { ROUTER, SERVER, stageOf, until, VIP } from './stage.ts';

await enclose();

const test = suite('the operator and the daemon');
const stage = stageOf(test);

test('status says who is master, and why, in columns', () => {
  const lines = stage.operator('status').stdout.split('\n');
  assert.match(
    lines[0] ?? '',
    new RegExp(`^vipkeeperd ${VERSION} {2}process \\d+, up \\d+ s, ${stage.file}$`),
  );
  const [names = '', router = '', addresses = ''] = lines.slice(3);
  assert.match(names, /^ {2}ROUTER +STATE +PRIORITY +FOR +MASTER +INTERFACE +VRID +VRRP +WHY$/);
  assert.match(router, /^ {2}web +MASTER +255 +\d+ s +this director +lan +7 +v2 +lan is up/);
  assert.is(addresses, '    has 10.9.0.100/24');
  for (const column of ['STATE', 'PRIORITY', 'MASTER', 'INTERFACE', 'VRID', 'WHY']) {
    const at = names.indexOf(column);
    assert.is(router.slice(at - 2, at), '  ', column);
    assert.is.not(router.charAt(at), ' ', column);
  }
  assert.not.match(lines.join('\n'), '\u001b');
});

test('status --json is data', () => {
  const { schema, running, version, pid, maintenance, processes, vrrp, check, configuration } =
    stage.status();
  assert.equal([schema, running, version, pid], [1, true, VERSION, stage.pid('vipkeeperd')]);
  assert.equal([maintenance, configuration, check], [false, stage.file, null]);
  const process = {
    role: 'vrrp',
    pid: stage.pid('vrrp'),
    restarts: 0,
    silent: null,
    stopped: false,
    dropped: 0,
    refused: 0,
  };
  assert.equal(processes, [process]);
  const [router] = vrrp?.instances ?? [];
  assert.equal([router?.name, router?.state, router?.vrid, router?.advertInterval], ['web', 'MASTER', 7, 1]);
  assert.match(router?.since ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const held = { address: `${VIP}/24`, interface: 'lan', advertised: true, present: true };
  assert.equal(router?.addresses, [held]);
});

test('reload takes a good file, refuses a bad one and says why', () => {
  stage.configure(ROUTER.replace('255', '150'));
  assert.equal(stage.operator('reload'), {
    status: 0,
    stdout: 'reloaded: 1 virtual router changed; no VIP moved\n',
    stderr: '',
  });
  until(() => stage.status().vrrp?.instances[0]?.priority === 150, 'the new priority');
  stage.configure(ROUTER.replace('priority', 'priorty'));
  const refused = stage.operator('reload');
  assert.equal([refused.status, refused.stdout], [1, '']);
  assert.match(refused.stderr, `${stage.file}:4:3: error: unknown keyword 'priorty'`);
  assert.match(refused.stderr, 'reload refused: the running configuration stays in force');
  assert.is(stage.status().vrrp?.instances[0]?.priority, 150);
});

test('maintenance gives the VIP up, also after a restart, until it is taken back', () => {
  const begun = stage.operator('maintenance', 'on');
  assert.equal([begun.status, begun.stdout], [0, 'maintenance on\n']);
  assert.match(
    begun.stderr,
    /^vipkeeper: web: nobody has taken over within [\d.]+ s: 10\.9\.0\.100\/24 is nowhere\n$/,
  );
  until(() => !stage.holdsVip(), 'the VIP is gone');
  stage.stop();
  assert.is(stage.daemon('-P').status, 0);
  assert.is(stage.status().maintenance, true);
  assert.match(stage.operator('status').stdout, /^MAINTENANCE: this director holds no virtual address$/m);
  assert.not.ok(stage.holdsVip());
  assert.is(stage.operator('maintenance', 'off').stdout, 'maintenance off\n');
  until(() => stage.holdsVip(), 'the VIP is back');
  assert.match(stage.router('web').cause, /^maintenance ended/);
  const wrong = stage.operator('maintenance', 'perhaps');
  assert.is(wrong.status, 1);
  assert.match(wrong.stderr, 'maintenance on, or maintenance off; not "perhaps"');
});

test('without checks, orders over real servers say that nobody would carry them out', () => {
  stage.reload(`${ROUTER}${SERVER}`);
  for (const words of [
    ['drain', '10.9.0.11'],
    ['undrain', '10.9.0.11'],
    ['weight', '10.9.0.11:80', '5'],
  ]) {
    const { status, stdout, stderr } = stage.operator(...words);
    assert.equal([status, stdout], [1, ''], words[0]);
    assert.match(stderr, 'no check process runs here (-P, or no virtual_server): nothing was changed');
  }
  const { status, stderr } = stage.operator('explain', '10.9.0.11');
  assert.is(status, 1);
  assert.match(stderr, 'nothing here is called 10.9.0.11');
  assert.match(stderr, 'no check process runs here (-P, or no virtual_server)');
  assert.match(stage.operator('explain').stdout, 'no check process runs here');
});

test('check FILE says what is wrong, as -t does', () => {
  const check = (...words: string[]) =>
    stage.run([join(ROOT, 'bin/vipkeeper'), 'check', stage.file, ...words]);
  assert.equal(check(), { status: 0, stdout: '', stderr: `${stage.file}: nothing to complain about\n` });
  assert.match(check('--print').stdout, /vrrp_instance web \{/);
  stage.configure(ROUTER.replace('priority', 'priorty'));
  assert.is(check().status, 5);
  assert.is(check().stderr, stage.daemon('-t').stderr);
  const [finding] = JSON.parse(check('--json').stdout);
  assert.equal([finding.severity, finding.at], ['error', { file: stage.file, line: 4, column: 3 }]);
});

test('a dash of typography is no name and no option', () => {
  const hint = '\u2013json begins with a dash of typography: type -, or -- before a long option';
  const asked = stage.operator('status', '\u2013json');
  assert.equal([asked.status, asked.stderr], [2, `vipkeeper: ${hint}\n`]);
  const started = stage.daemon('\u2013json');
  assert.is(started.status, 2);
  assert.match(started.stderr, hint);
});

test('without a daemon the operator is told', () => {
  stage.stop();
  const { status: ended, stdout, stderr } = stage.operator('status', '--json');
  assert.equal([ended, stdout], [1, '']);
  assert.match(stderr, /^vipkeeper: vipkeeperd does not run \(.*control\.sock: ENOENT\)\n$/);
});

test.run();
