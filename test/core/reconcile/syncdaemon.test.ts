import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { DAEMON_STATE, type IpvsDaemon } from '../../../src/core/netlink/ipvs.ts';
import { leavesOpen, planSyncDaemons, type SyncRole } from '../../../src/core/reconcile/syncdaemon.ts';
import type { SyncDaemonSettings } from '../../../src/core/sync/settings.ts';
import { suite } from '../../suite.ts';

const syncdaemon = suite('sync daemons');
const settings = { interface: 'eth1', id: 51, bulkPort: 0, alarm: 5 };
const running = (role: 'master' | 'backup', more: Partial<IpvsDaemon> = {}): IpvsDaemon => ({
  state: DAEMON_STATE[role],
  interface: 'eth1',
  syncId: 51,
  maxLength: 1460,
  port: 8848,
  ttl: 1,
  ...more,
});
const words = (role: SyncRole | undefined, ...now: IpvsDaemon[]): string[] =>
  planSyncDaemons(settings, role, now).map((operation) =>
    operation.op === 'stop-daemon'
      ? `stop ${operation.state}`
      : operation.op === 'start-daemon'
        ? `start ${operation.daemon.state}`
        : operation.op,
  );

syncdaemon('a new master stops the backup thread before it starts its own', () => {
  assert.equal(words('master', running('backup')), ['stop 2', 'start 1']);
  assert.equal(words('backup', running('master')), ['stop 1', 'start 2']);
});

syncdaemon('what runs as wanted is not touched, whatever the kernel chose by itself', () => {
  assert.equal(words('master', running('master')), []);
  assert.equal(words('both', running('master'), running('backup')), []);
});

syncdaemon('another interface or id is another daemon', () => {
  assert.equal(words('master', running('master', { syncId: 7 })), ['stop 1', 'start 1']);
  assert.equal(words('master', running('master', { interface: 'eth0' })), ['stop 1', 'start 1']);
});

syncdaemon('what is carried fits into a datagram of the relay, unless maxlen says otherwise', () => {
  const relay = { keyFile: '/key', local: ip('192.0.2.1'), port: 5408, peers: [] };
  const maxLength = (more: Partial<SyncDaemonSettings>): unknown =>
    planSyncDaemons({ ...settings, relay, ...more }, 'master', []).map((operation) =>
      operation.op === 'start-daemon' ? operation.daemon.maxLength : operation.op,
    );
  assert.equal(maxLength({}), [1340]);
  assert.equal(maxLength({ maxlen: 1400 }), [1400]);
});

syncdaemon('a backup with a small maxlen is not started again and again: the kernel gives it more', () => {
  const small = { ...settings, maxlen: 500 };
  assert.equal(planSyncDaemons(small, 'backup', [running('backup', { maxLength: 1024 })]), []);
  assert.equal(planSyncDaemons(small, 'master', [running('master', { maxLength: 500 })]), []);
});

syncdaemon('what is said no longer is for the kernel to choose again', () => {
  assert.ok(leavesOpen({ ...settings, maxlen: 1100 }, settings));
  assert.not.ok(leavesOpen(settings, { ...settings, maxlen: 1100 }));
  assert.not.ok(leavesOpen({ ...settings, ttl: 2 }, { ...settings, ttl: 3 }), 'it is another daemon anyway');
  assert.not.ok(leavesOpen(undefined, settings));
});

syncdaemon('without a role nothing runs', () => {
  assert.equal(words(undefined, running('master'), running('backup')), ['stop 1', 'stop 2']);
});

syncdaemon.run();
