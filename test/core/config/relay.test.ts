import * as assert from 'uvu/assert';
import { NO_HOST } from '../../../src/core/config/facts.ts';
import { print } from '../../../src/core/config/print.ts';
import { suite } from '../../suite.ts';
import { configured, findings, KEY_FILE } from './memory.ts';

const test = suite('sync_relay');

const VRRP = 'vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n';
const GOOD = [`key_file ${KEY_FILE}`, 'local 192.0.2.1', 'peer 192.0.2.2'];
const text = (daemon: string, ...lines: readonly string[]): string =>
  `${VRRP}global_defs {\n${daemon}\n}\nsync_relay {\n${lines.join('\n')}\n}\n`;
const found = (daemon: string, ...lines: readonly string[]): string =>
  findings(text(daemon, ...lines)).join('\n');

test('where the others are, and what seals', () => {
  const { syncDaemon } = configured(
    text(
      'lvs_sync_daemon vksync V',
      `key_file ${KEY_FILE}`,
      'local 192.0.2.1 9',
      'peer 192.0.2.2',
      'peer 192.0.2.3 7',
    ),
  );
  assert.equal(syncDaemon, {
    interface: 'vksync',
    instance: 'V',
    id: 7,
    bulkPort: 8849,
    alarm: 5,
    relay: {
      keyFile: KEY_FILE,
      local: '192.0.2.1',
      port: 9,
      peers: [
        { address: '192.0.2.2', port: 5408 },
        { address: '192.0.2.3', port: 7 },
      ],
    },
  });
});

test('what lvs_sync_daemon says of the network is an error that says what to write', () => {
  assert.is(found('lvs_sync_daemon vksync V', ...GOOD), '');
  assert.match(
    found('lvs_sync_daemon eth1 V', ...GOOD),
    /^error 9:1 with sync_relay the kernel syncs on vksync, and not on eth1$/,
  );
  assert.match(found('lvs_sync_daemon vksync V ttl 2', ...GOOD), /it has no ttl$/);
  assert.match(found('lvs_sync_daemon vksync V group 224.0.0.9', ...GOOD), /it has no group$/);
  assert.match(found('lvs_sync_daemon vksync V maxlen 65500', ...GOOD), /maxlen is at most 65447$/);
  assert.match(found('', ...GOOD), /^error 11:1 sync_relay needs lvs_sync_daemon$/);
});

test('what is missing, twice, or of another family', () => {
  const relay = (...lines: readonly string[]): string => found('lvs_sync_daemon vksync V', ...lines);
  assert.is(
    relay(),
    ['key_file', 'local', 'peer'].map((word) => `error 11:1 sync_relay has no ${word}`).join('\n'),
  );
  assert.match(relay(...GOOD, 'peer 192.0.2.2'), /^error 15:1 192\.0\.2\.2 is there twice in sync_relay$/);
  assert.match(relay(...GOOD, 'peer 192.0.2.1'), /^error 15:1 192\.0\.2\.1 is there twice/);
  assert.match(relay(...GOOD, 'peer fd00::2'), /^error 15:1 fd00::2 can't be reached from 192\.0\.2\.1/);
  assert.match(relay(...GOOD, 'peer 224.0.0.9'), /neither link-local|is no address of a director/);
  assert.match(
    relay('key_file /nowhere', ...GOOD.slice(1)),
    /the key cannot be read: \/nowhere does not exist/,
  );
  const exposed = { ...NO_HOST, isExposed: () => true };
  assert.match(
    findings(text('lvs_sync_daemon vksync V', ...GOOD), {}, exposed).join(),
    /others than its owner can read the key in/,
  );
});

test('the key is not in what is printed', () => {
  const printed = print(configured(text('lvs_sync_daemon vksync V', ...GOOD)));
  assert.ok(printed.includes(KEY_FILE));
  assert.not.ok(printed.includes('a key for tests only'));
});

test.run();
