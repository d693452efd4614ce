import * as assert from 'uvu/assert';
import { formatDiagnostic } from '../../../src/core/config/diagnostics.ts';
import { root } from '../../../src/core/config/grammar/root.ts';
import { print } from '../../../src/core/config/print.ts';
import type { Table } from '../../../src/core/config/schema.ts';
import { withoutSecrets } from '../../../src/core/config/secrets.ts';
import { suite } from '../../suite.ts';
import { KEY_FILE, loadText } from './memory.ts';

const test = suite('secrets of a configuration');

const CANARY = 'Canary-in-the-mine-of-32-bytes-and-more';
const HEX = `hex:${'c0ffee11'.repeat(8)}`;

const instance = (...lines: readonly string[]): string =>
  [
    'vrrp_instance VI_1 {',
    '  interface lan',
    '  virtual_router_id 7',
    '  priority 100',
    '  virtual_ipaddress {',
    '    10.9.0.100/24',
    '  }',
    ...lines,
    '}',
    '',
  ].join('\n');
const authentication = (...lines: readonly string[]): string =>
  instance('  authentication {', '    auth_type PASS', ...lines, '  }');
const hmac = (...lines: readonly string[]): string => instance('  auth_hmac {', ...lines, '  }');

/** Files with something to complain about where a secret is near. */
const DOUBTFUL: readonly (readonly [string, string])[] = [
  ['a password that is too long', authentication(`    auth_pass ${CANARY}`)],
  ['one given twice', authentication(`    auth_pass ${CANARY}`, `    auth_pass ${CANARY}`)],
  ['words after it', authentication(`    auth_pass x ${CANARY}`)],
  ['a quote that is never closed', authentication(`    auth_pass "${CANARY}`)],
  ['a brace in it', authentication(`    auth_pass ab{${CANARY}`)],
  ['a brace that closes', authentication(`    auth_pass ab}${CANARY}`)],
  ['all on one line', instance(`  authentication { auth_type PASS auth_pass ${CANARY} }`)],
  ['a keyword misspelt', authentication(`    auth_pas ${CANARY}`)],
  ['another', authentication(`    auth_password ${CANARY}`)],
  ['another of SSL', `SSL {\n  passwd ${CANARY}\n}\n`],
  ['SSL twice', `SSL {\n  password ${CANARY}\n  password ${CANARY}\n}\n`],
  ['outside of its block', instance(`  auth_pass ${CANARY}`)],
  ['a definition that is not used rightly', `$PASS=${CANARY}\n${authentication('    auth_pass $PASS')}`],
  [
    'a definition on a line with an error',
    `$PASS=${CANARY}\n$PASS\n${authentication('    auth_pass $PASS')}`,
  ],
  ['a generated one', authentication(`    ~LST(p, ${CANARY}) auth_pass $p`)],
  ['a generator that is wrong', authentication(`    ~LST(${CANARY}) auth_pass $0`)],
  ['a key that is too short', hmac('    key 1 Canary-in-short', '    active_key 1')],
  ['a key that is no number', hmac(`    key one ${CANARY}`, '    active_key 1')],
  ['a key in wrong digits', hmac(`    key 1 ${HEX}x`, '    active_key 1')],
  ['a key with a wrong place', instance(`  key 1 ${CANARY}`)],
  ['a key twice', hmac(`    key 1 ${CANARY}`, `    key 1 ${CANARY}`, '    active_key 1')],
];

for (const [name, text] of DOUBTFUL) {
  test(`no diagnostic shows it: ${name}`, () => {
    const { diagnostics } = loadText(text);
    const shown = [...diagnostics.map((each) => formatDiagnostic(each)), JSON.stringify(diagnostics)].join(
      '\n',
    );
    assert.ok(diagnostics.length > 0, 'there is something to complain about');
    assert.not.match(shown, /Canary|c0ffee|in-the-mine/);
    assert.match(shown, /\*{8}|\$PASS|PASS/, 'the line is shown, without what is secret');
  });
}

test('what is not secret is shown: the path of a key, a variable', () => {
  const shown = (text: string): string =>
    loadText(text)
      .diagnostics.map((each) => formatDiagnostic(each))
      .join('\n');
  assert.match(shown(hmac('    key 1 file:/etc/gone', '    active_key 1')), /key 1 file:\/etc\/gone/);
  assert.match(shown(authentication('    auth_pass $NOWHERE auth_pass')), /\$NOWHERE/);
  assert.match(shown('SSL {\n  key /etc/ssl/key\n  key /etc/ssl/key\n}\n'), /key \/etc\/ssl\/key/);
});

test('the configuration without secrets, printed', () => {
  const ssl = `SSL {\n  password ${CANARY}\n  key /etc/ssl/key\n  certificate /etc/ssl/crt\n}\n`;
  /** A pair with a power switch that wants a password. */
  const fenced = `heartbeat {
key_file ${KEY_FILE}
director a 10.0.0.1
director b 10.0.0.2
name a
}
fence_device power {
agent fence_x
target b
parameter password ${CANARY}
}
`;
  const server = `virtual_server 10.9.0.100 443 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 10.9.0.11 443 {
      SSL_GET {
        url {
          path /
          status_code 200
        }
      }
    }
  }
  `;
  for (const text of [
    authentication('    auth_pass Canary'),
    authentication('    auth_pass Canary').replace('auth_type PASS', 'auth_type AH'),
    hmac(`    key 1 ${CANARY}`, `    key 2 ${HEX}`, '    active_key 1'),
    ssl + server,
    fenced,
  ]) {
    const { configuration, diagnostics } = loadText(text);
    assert.ok(configuration !== undefined, JSON.stringify(diagnostics));
    const hex = Buffer.from(CANARY).toString('hex');
    assert.match(print(configuration), new RegExp(`Canary|${hex}`));
    assert.not.match(print(withoutSecrets(configuration)), new RegExp(`Canary|c0ffee|${hex}`));
    assert.not.match(JSON.stringify(withoutSecrets(configuration)), new RegExp(`Canary|c0ffee|${hex}`));
    assert.match(print(withoutSecrets(configuration)), /\*{8}/);
  }
});

/** Keywords that sound like it and are none. */
const HARMLESS = new Set([
  ...['auth_hmac.active_key', 'SSL.key', 'key', 'heartbeat.key_file'],
  ...['witness.key_file', 'witness.password_file', 'sync_relay.key_file'],
]);

test('the tables name every secret', () => {
  const found: string[] = [];
  const walk = (table: Table, within: string): void => {
    for (const [name, spec] of Object.entries(table)) {
      const place = within === '' ? name : `${within}.${name}`;
      if (
        /\b(password|passphrase|secret|key)\b/.test(`${name.replaceAll('_', ' ')} ${spec.doc}`) &&
        spec.body === undefined
      ) {
        if (spec.secret === undefined && !HARMLESS.has(place)) found.push(place);
      }
      if (spec.body?.kind === 'keywords') walk(spec.body.table, name);
    }
  };
  walk(root, '');
  assert.equal(found, []);
});

test.run();
