import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { formatDiagnostic, summary } from '../../../src/core/config/diagnostics.ts';
import { load, testExitCode } from '../../../src/core/config/load.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { configured, findings, instance, loadText, memoryReader } from './memory.ts';

const test = suite('parse');
const VIP = 'virtual_ipaddress { 10.0.0.1 }';

test('a brace may be glued to the word, end its line, or stand first on the next', () => {
  for (const open of ['V{', 'V {', 'V\n{', 'V # x\n\n  {']) {
    const text = `vrrp_instance ${open}\ninterface eth0\nvirtual_router_id 1\n${VIP}\n}`;
    assert.is(configured(text).instances[0]?.name, 'V', open);
  }
});

test('blocks on one line: one keyword, a list of values, or nothing', () => {
  const text = instance(
    'authentication {\nauth_type PASS\nauth_pass x }\nvirtual_ipaddress { 10.0.0.1/24 dev eth1 }',
  );
  assert.is(configured(text).instances[0]?.addresses[0]?.dev, 'eth1');
  assert.equal(findings('global_defs { lvs_flush }'), []);
});

test('a second keyword in a block on one line is lost, as in keepalived', () => {
  assert.equal(findings(instance(`authentication { auth_type PASS auth_pass x }\n${VIP}`)), [
    'warning 5:1 authentication has no auth_pass: adverts are not authenticated',
    'warning 5:33 auth_pass stands on the line of auth_type: it has no effect, as in keepalived',
  ]);
});

test('words after the arguments are a warning', () => {
  assert.equal(findings('global_defs {\nvrrp_rt_priority 50 junk more\n}'), [
    'warning 2:21 vrrp_rt_priority: these words have no effect',
  ]);
});

test('an unknown keyword: the nearest spelling, and its block is skipped whole', () => {
  const text = `vrrp_instanc X {\npriority 1\nfoo { bar }\n}\n${instance(VIP)}`;
  const { diagnostics } = loadText(text);
  assert.equal(
    diagnostics.map((d) => [d.at.line, d.message, d.hint]),
    [[1, "unknown keyword 'vrrp_instanc': its block is skipped", 'did you mean vrrp_instance?']],
  );
});

test('a keyword of another block is ignored, and says where it belongs', () => {
  const first = (text: string) => loadText(text).diagnostics.find(({ hint }) => hint?.includes('belongs'));
  const hint = (text: string) => first(text)?.hint;
  assert.is(hint('priority 100'), 'priority belongs in vrrp_instance');
  assert.is(hint(instance(`lb_algo rr\n${VIP}`)), 'lb_algo belongs in virtual_server');
  assert.is(hint(instance(`authentication {\npriority 3\n}\n${VIP}`)), 'priority belongs in vrrp_instance V');
  assert.is(first('priority 100')?.severity, 'warning');
  // keepalived would read the lines of the block as the instance's, and end that with its brace.
  assert.is(first(instance(`real_server 192.0.2.1 80 {\n}\n${VIP}`))?.severity, 'error');
});

test('words of other versions and programs are ignored, and say what to do', () => {
  const said = (text: string) =>
    loadText(text).diagnostics.map(({ severity, hint }) => `${severity}: ${hint}`);
  assert.equal(said('global_defs {\nlvs_id A\n}'), ['warning: the name of the director is router_id now']);
  assert.match(
    said(instance(`lvs_sync_daemon_inteface eth0\n${VIP}`)).join(),
    /^warning: write lvs_sync_daemon/,
  );
  const server = (line: string) =>
    said(
      `virtual_server 192.0.2.9 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 192.0.2.1 80 {\n${line}\n}\n}`,
    );
  assert.equal(server('TCP_CHECK {\nnb_get_retry 3\n}'), ['warning: write retry']);
  assert.equal(server('persistence_timeout 5'), [
    'warning: persistence_timeout belongs in virtual_server 192.0.2.9 80',
  ]);
  assert.match(said('local_address_group g {\n192.0.2.1\n}').join(), /^warning: it is a word of DPVS/);
  assert.match(said('global_defs {\nfilesystem_path /x\n}').join(), /^warning: the figures/);
  assert.match(said(instance(`priorty 3\n${VIP}`)).join(), /^error: did you mean priority/);
});

test('a number beyond its range is ignored, or what keepalived takes', () => {
  const { configuration, diagnostics } = loadText(
    `global_defs {\nvrrp_garp_interval 0\n}\n${instance(`priority 300\nstate MASTER\n${VIP}`)}`,
  );
  assert.equal(
    diagnostics.map(({ severity, message }) => `${severity} ${message}`),
    [
      "warning vrrp_garp_interval: expected seconds from 0.000001 to 4294.967, with up to 6 decimals, found '0': " +
        'it has no effect, as in keepalived',
      'warning priority is given twice: this one counts',
      "warning priority: expected a whole number from 1 to 255, found '300': 100 is used, as in keepalived",
    ],
  );
  assert.is(configuration?.instances[0]?.priority, 100);
  assert.match(
    findings(`vrrp_instance V {\ninterface eth0\nvirtual_router_id 300\n${VIP}\n}`).join(),
    /^error 3/,
  );
});

test('a keyword twice: the last one counts, with a warning', () => {
  const text = instance(`priority 7\n${VIP}`);
  assert.equal(findings(text), ['warning 5:1 priority is given twice: this one counts']);
  assert.is(configured(text).instances[0]?.priority, 7);
});

test('a keyword that is not acted on is said once', () => {
  const two =
    instance(`kernel_rx_buf_size 3\n${VIP}`) +
    instance('kernel_rx_buf_size 3\nvirtual_ipaddress { 10.0.0.2 }', 'W', 2);
  assert.equal(findings(two), [
    'warning 5:1 kernel_rx_buf_size is accepted, not acted on: ' +
      'the socket holds the adverts of thousands of routers as it is',
  ]);
});

test('braces: missing, surplus, or of no keyword', () => {
  assert.equal(findings('global_defs {\n'), [
    "error 1:1 the block of global_defs is never closed: a '}' is missing",
  ]);
  assert.equal(findings('global_defs {\n}\n}'), ["error 3:1 this '}' closes nothing"]);
  assert.equal(findings('{ a }'), ["error 1:1 this '{' belongs to no keyword: its block is skipped"]);
  assert.equal(findings('global_defs'), ["error 1:1 '{' expected after global_defs"]);
  assert.equal(findings('global_defs {\nlvs_flush {\nx\n}\n}'), [
    'error 2:11 lvs_flush has no block: what its braces hold is skipped',
  ]);
});

test('a missing } is found by the keyword of an outer block, and the rest is still read', () => {
  const { diagnostics } = loadText(instance('virtual_ipaddress {\n10.0.0.1\nadvert_int 500'));
  assert.equal(
    diagnostics.map((d) => [d.at.line, d.related?.at.line]),
    [
      [7, 5],
      [7, undefined],
    ],
  );
  assert.match(diagnostics[0]?.message ?? '', /^a '}' is missing above/);
});

test('arguments: what was expected and what was found', () => {
  const message = (text: string) => loadText(text).diagnostics[0]?.message;
  assert.is(
    message(instance(`advert_int\n${VIP}`)),
    'advert_int: needs SECS: seconds from 0.01 to 255, with up to 6 decimals',
  );
  assert.is(message(instance('state master')), "state: expected MASTER or BACKUP, found 'master'");
  assert.is(loadText(instance('state master')).diagnostics[0]?.hint, 'did you mean MASTER?');
  assert.is(
    message('global_defs {\nvrrp_min_garp maybe\n}'),
    "vrrp_min_garp: expected true, on, yes, false, off or no, found 'maybe'",
  );
  assert.match(
    message('global_defs {\nlvs_sync_daemon eth0 prt 5\n}') ?? '',
    /^lvs_sync_daemon: expected inst, id, /,
  );
  assert.match(message('global_defs {\nlvs_sync_daemon eth0 id 1 id 2\n}') ?? '', /id is given twice/);
});

test('a diagnostic shows its line, a caret, a hint, and the includes that led there', () => {
  const { diagnostics } = loadText('\ninclude a', { a: 'global_defs {\n\trouter_idd x\n}' });
  const [diagnostic] = diagnostics;
  assert.ok(diagnostic);
  assert.is(
    formatDiagnostic(diagnostic),
    [
      "a:2:2: error: unknown keyword 'router_idd' in global_defs",
      '      2 |  router_idd x',
      '        |  ^~~~~~~~~~',
      '        = did you mean router_id?',
      '        = the block began here: a:1:1',
      '        = included from test.conf:2',
    ].join('\n'),
  );
  const marked = formatDiagnostic(diagnostic, (text, part) => `<${part} ${text}>`);
  assert.match(marked, /^<place a:2:2:> <error error:> <message unknown/);
});

test('diagnostics come in the order of the lines, whatever found them', () => {
  const text = `${instance('')}global_defs {\nfoo\n}`;
  assert.equal(
    loadText(text).diagnostics.map((d) => d.at.line),
    [1, 8],
  );
});

test('-t: 0 for warnings alone, 5 for errors, 4 when there is no file', () => {
  const warned = loadText('global_defs {\nlvs_flush x\n}');
  assert.is(testExitCode(warned), 0);
  assert.is(testExitCode(warned, true), 5);
  assert.is(testExitCode(loadText('foo')), 5);
  const gone = load({ file: 'gone', reader: memoryReader({}), configId: 'x' });
  assert.is(testExitCode(gone), 4);
  assert.is(gone.configuration, undefined);
  assert.is(testExitCode(load({ file: 'd/*.conf', reader: memoryReader({}), configId: 'x' })), 4);
});

test('-f may be a pattern: all of its files are one configuration', () => {
  const files = { 'd/a.conf': 'global_defs {\nrouter_id a\n}', 'd/b.conf': instance(VIP) };
  const { configuration } = load({ file: 'd/*.conf', reader: memoryReader(files), configId: 'x' });
  assert.is(configuration?.global.routerId, 'a');
  assert.is(configuration?.instances.length, 1);
});

test('a thousand mistakes: the first are kept, the rest counted', () => {
  const { diagnostics, dropped } = loadText('foo\n'.repeat(1000));
  assert.is(diagnostics.length + dropped, 1000);
  assert.is(diagnostics.length, 250);
  assert.is(summary(diagnostics, dropped), '250 errors, 0 warnings, and 750 more that are not shown');
  assert.is(summary(diagnostics.slice(0, 1)), '1 error, 0 warnings');
});

test('random text never throws: letters of the language, and anything', () => {
  const piece = fc.constantFrom(
    ...[
      'vrrp_instance',
      'V',
      '{',
      '}',
      '\n',
      ' ',
      '"',
      '#',
      '!',
      '\\',
      '$X',
      '$X=',
      '${',
      '~SEQ(',
      ')',
      ',',
      '@one ',
    ],
    ...[
      'virtual_server',
      '10.0.0.1',
      'fwmark',
      '0',
      '80',
      'real_server',
      'TCP_CHECK',
      'virtual_ipaddress',
      'dev',
    ],
    ...[
      'global_defs',
      'lvs_sync_daemon',
      'authentication',
      'auth_pass',
      'priority',
      'notify',
      "'",
      '{a,b}',
      '$',
    ],
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 60 }).map((p) => p.join(' ')),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(text, (input) => {
      const { configuration, diagnostics } = loadText(input);
      if (configuration === undefined) assert.ok(diagnostics.some((d) => d.severity === 'error'));
      for (const diagnostic of diagnostics) formatDiagnostic(diagnostic);
    }),
    { numRuns: repetitions(3000) },
  );
});

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the language under test
const UNDEFINED = '${P}';

test('one error for one cause: an undefined variable, a template, a lost backslash', () => {
  const errors = (text: string): string[] => findings(text).filter((finding) => finding.startsWith('error'));
  assert.equal(errors(instance(`advert_int ${UNDEFINED}`)), ['error 5:12 $P is not defined']);
  assert.equal(errors(instance('advert_int {{ a }}\nnopreempt {{ b }}')), [
    'error 5:12 this looks like an unfilled template',
  ]);
  const lost = `$VS= \\
virtual_server 192.0.2.1 80 { \\
 lb_algo rr
 lb_kind NAT \\
 protocol TCP \\
 real_server 192.0.2.2 80 { \\
 } \\
}
$VS
`;
  assert.equal(errors(lost), ['error 3:11 the definition of $VS ends within a block']);
});

test('a file with nothing to serve is a warning', () => {
  const warned = (text: string): string[] =>
    load({ file: 'f', reader: memoryReader({ f: text }), configId: 'x' }).diagnostics.map(
      ({ message }) => message,
    );
  assert.match(warned('# nothing').join(), /^the configuration has no vrrp_instance and no virtual_server/);
  assert.equal(warned(instance('virtual_ipaddress {\n192.0.2.9\n}')), []);
});

test.run();
