import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/core/bytes.ts';
import { ip } from '../../src/core/ip.ts';
import type { HealthFacts } from '../../src/core/sync/health/facts.ts';
import { encodeMessage } from '../../src/core/sync/message.ts';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { file, operator, pathOf, statusOf } from './scene/director.ts';
import { Failover } from './scene/failover.ts';
import type { Host } from './scene/host.ts';
import { VIP } from './scene/pair.ts';
import type { Program } from './scene/program.ts';
import { ECHO_PORT } from './scene/traffic.ts';

/**
 * Sync health: the backup sees how many of the master's connections it has, why others do not come, and says within
 * seconds when a failover would lose too many, and asks for them; `vipkeeper sync pull` gets them, too.
 */
export const needs = 'kernel';
export const limitSeconds = 900;
export const long = true;

const CONNECTIONS = 40;
const PYTHON = '/usr/bin/python3';
const GROUP = join(ROOT, 'test/lab/programs/sync-group.py');
const STRANGER = '192.168.1.99';
const KEY = join(mkdtempSync(join(tmpdir(), 'health-')), 'key');
writeFileSync(KEY, 'a key that nobody in the laboratory guesses\n', { mode: 0o600 });

const story = suite('sync health');
let act: Failover;
let one: Host;
let two: Host;
let daemon: Program;
story.before(async () => {
  act = await Failover.stage({ method: 'NAT', keyFile: KEY });
  [one, two] = act.pair.directors;
});
story.after(() => act.close());

const healthOf = async (director: Host): Promise<HealthFacts | undefined> =>
  (await statusOf(director))?.sync?.health;
const sees = (what: string, condition: (health: HealthFacts) => boolean): Promise<number> =>
  act.until(`the backup sees ${what}`, async () => {
    const health = await healthOf(two);
    return health !== undefined && condition(health);
  });
const causeIs = (kind: string | undefined): Promise<number> =>
  sees(kind ?? 'no cause', ({ cause }) => cause?.kind === kind);
/** The backup gets more words in `lvs_sync_daemon`, or none. */
function resync(words: string): void {
  const written = readFileSync(pathOf(two, 'vipkeeper.conf'), 'utf8');
  const daemonLine = `lvs_sync_daemon rack VI_1 ${words}`;
  file(two, 'vipkeeper.conf', written.replace(/lvs_sync_daemon rack VI_1.*/, daemonLine));
  operator(two, 'reload');
}
/** Something that is configured is wrong, and then right. */
async function misconfigured(words: string, kind: string): Promise<void> {
  resync(words);
  await causeIs(kind);
  console.log(`  ${(await healthOf(two))?.cause?.text}`);
  resync('');
  await sees('nothing wrong', ({ cause, survey }) => cause === undefined && survey?.coverage === 100);
}
/** The kernel tells of each connection with each of its packets, or of none. */
const tell = (director: Host, each: boolean): unknown =>
  director.run('sysctl', '-qw', `net.ipv4.vs.sync_threshold=${each ? '0 1' : '100000 100001'}`);

story('both directors see that the backup has everything', async () => {
  act.pair.start(one);
  await act.masterIs(one);
  tell(one, true);
  daemon = act.pair.start(two);
  await act.backupIs(two);
  await act.connect(CONNECTIONS);
  await sees('all connections, and datagrams', ({ survey, datagrams }) => {
    const { connections = 0, coverage = 0 } = survey ?? {};
    const { heard = 0, lost = 0 } = datagrams ?? {};
    return connections >= CONNECTIONS && coverage === 100 && heard > 0 && lost === 0;
  });
  await act.until('the master is told', async () => (await healthOf(one))?.told[0]?.coverage === 100);
  assert.is((await healthOf(two))?.cause, undefined);
  for (const director of [one, two]) console.log(operator(director, 'sync', 'status').trimEnd());
  assert.match(operator(two, 'status'), /100 % of \d+ connections of director1 are here/);
  assert.match(operator(one, 'sync', 'status'), /director2 has 100 % of connections/);
});

story('multicast that is filtered is said, and its end', async () => {
  const [, rack] = act.pair.links;
  rack?.impair(two, 'loss 100%');
  await causeIs('deaf');
  console.log(`  ${(await healthOf(two))?.cause?.text}`);
  assert.match(daemon.log, /sync health: director1 sent \d+ datagrams and none came on rack/);
  rack?.impair(two, '');
  await causeIs(undefined);
});

story('datagrams that the network loses are said, and its end', async () => {
  const [, rack] = act.pair.links;
  rack?.impair(two, 'loss 40%');
  await causeIs('loss');
  console.log(`  ${(await healthOf(two))?.cause?.text}`);
  assert.match(daemon.log, /sync health: of \d+ datagrams of director1, \d+ came on rack: the network loses/);
  rack?.impair(two, '');
  await causeIs(undefined);
});

story('another syncid than the master’s is said', async () => {
  await misconfigured('id 52', 'syncid');
  assert.match(daemon.log, /sync health: director1 is master with syncid 51, and ours is 52/);
});

story('a smaller maxlen than the master’s is said', async () => {
  await misconfigured('maxlen 1100', 'maxlen');
  assert.match(
    daemon.log,
    /sync health: datagrams of director1 have up to \d+ bytes and our kernel takes 1100/,
  );
});

story('somebody else with our syncid is said', async () => {
  const stranger = act.scene.host('stranger').on(act.pair.links[1] ?? act.pair.lan, `${STRANGER}/24`);
  const forged = toHex(
    encodeMessage({
      version: 1,
      syncId: 51,
      connections: [
        {
          ...{ protocol: 6, flags: 0, state: 1, fwmark: 0, timeout: 900 },
          client: { address: ip('10.0.0.77'), port: 1000 },
          virtual: { address: ip(VIP), port: ECHO_PORT },
          destination: { address: ip('192.168.1.11'), port: ECHO_PORT },
        },
      ],
    }),
  );
  const flood = `while sleep 0.01; do ${PYTHON} ${GROUP} say ${STRANGER} ${Array(500).fill(forged).join()}; done`;
  const flooder = stranger.start('flood', ['sh', '-c', flood]);
  await causeIs('stranger');
  console.log(`  ${(await healthOf(two))?.cause?.text}`);
  stranger.kill('SIGKILL');
  await flooder.stop('SIGKILL').catch(() => undefined);
  await causeIs(undefined);
});

story('a smaller MTU than the master’s is said', async () => {
  two.run('ip', 'link', 'set', 'rack', 'mtu', '1300');
  await causeIs('mtu');
  two.run('ip', 'link', 'set', 'rack', 'mtu', '1500');
  await causeIs(undefined);
});

story('an interface that was made anew leaves the kernel deaf: its daemon is started again', async () => {
  const [, rack] = act.pair.links;
  assert.ok(rack);
  two.run('ip', 'link', 'delete', 'rack');
  two.on(rack, '192.168.1.2/24');
  await act.until('it is said', () =>
    /rack was made anew: connection sync is started again/.test(daemon.log),
  );
  await act.until('the kernel hears again', async () => {
    const { cause, survey } = (await healthOf(two)) ?? {};
    return cause === undefined && survey?.coverage === 100 && (survey.datagrams?.heard ?? 0) > 0;
  });
});

story('connections that the kernel does not tell of are an alarm, and are asked for', async () => {
  tell(one, false);
  await act.idle(CONNECTIONS);
  await act.until('it is said loudly', () =>
    /a failover now would lose more than 5 % of connections: .* compared are missing/.test(daemon.log),
  );
  await sees('no alarm any more', ({ survey, alarm }) => !alarm && survey?.coverage === 100);
  await act.until('the end is said', () => /the alarm is over: 100 % of/.test(daemon.log));
  const said = daemon.log.split('\n').filter((line) => /sync health: (a failover|the alarm)/.test(line));
  console.log(said.map((line) => `  ${line.replace(/^.*sync health/, 'sync health')}`).join('\n'));
  assert.is(said.length, 2, 'once, and its end');
});

story('what an operator pulls comes at once', async () => {
  await act.idle(CONNECTIONS);
  const pulled = operator(two, 'sync', 'pull').trimEnd();
  console.log(`  ${pulled}`);
  assert.match(pulled, /^copy of the connection table from director1: complete: 120 connections/);
  const { outcome, missing } = JSON.parse(operator(two, 'sync', 'pull', '--json'));
  assert.equal([outcome, missing], ['complete', 0]);
  const arguments_ = `sync pull --run-dir ${one.scene.folder}/${one.name}/run`;
  const refused = one.run('sh', '-c', `${join(ROOT, 'bin/vipkeeper')} ${arguments_} 2>&1 || true`);
  assert.match(refused, /this director is not backup/);
});

story('a failover has all: the alarm was right to end', async () => {
  one.kill('SIGKILL');
  for (const link of act.pair.links) link.cut(one);
  await act.until(`the VIP is on ${two.name}`, () => act.holds(two));
  assert.is(await act.idleAnswer(), 2 * CONNECTIONS);
  await act.allLive('failover');
});

story.run();
