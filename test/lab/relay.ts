import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/core/bytes.ts';
import { ip } from '../../src/core/ip.ts';
import type { SyncReport } from '../../src/core/status/sync.ts';
import { encodeMessage } from '../../src/core/sync/message.ts';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { file, operator, pathOf, pidOf, vipkeeper } from './scene/director.ts';
import type { Host } from './scene/host.ts';
import { buildPair, pairConfiguration, stateOf, VIP } from './scene/pair.ts';
import type { Program } from './scene/program.ts';
import { run } from './scene/run.ts';
import { Scene } from './scene/scene.ts';
import { Client, ECHO_PORT, realServer } from './scene/traffic.ts';

/**
 * Connection sync that the daemons carry: what the master has, the backup gets; who has no key changes nothing,
 * whatever he sends; keys are replaced, and daemons restarted, without harm.
 */
export const needs = 'kernel';
export const limitSeconds = 900;

const PYTHON = '/usr/bin/python3';
const THIEF = join(ROOT, 'test/lab/programs/thief.py');
const GROUP = join(ROOT, 'test/lab/programs/sync-group.py');
const THIRD = '10.0.0.66';
const PORT = 5408;
const ID = 51;
const KEYS = { old: 'an old key that is long enough', new: 'a new key that is long enough' };

const story = suite('sync relay');
const scene = new Scene();
const pair = buildPair(scene, { method: 'NAT' });
const [one, two] = pair.directors;
const third = scene.host('third').on(pair.lan, `${THIRD}/24`);
const addressOf = (director: Host): string => (director === one ? '10.0.0.1' : '10.0.0.2');
const other = (director: Host): Host => (director === one ? two : one);
story.after(() => scene.close());

const keyed = (director: Host, ...keys: readonly string[]): string => {
  const path = file(director, 'relay.key', `${keys.join('\n')}\n`);
  run(['chmod', '600', path]);
  return path;
};
const configuration = (director: Host): string => `
${pairConfiguration({ method: 'NAT', unsynced: true }, director === one)}
global_defs {
  lvs_sync_daemon vksync VI_1
  lvs_sysctl sync_threshold 0 1
}
sync_relay {
  key_file ${pathOf(director, 'relay.key')}
  local ${addressOf(director)}
  peer ${addressOf(other(director))}
}
`;
const daemons = new Map<Host, Program>();
const start = (director: Host): void =>
  void daemons.set(director, vipkeeper(director, configuration(director)));
const daemonOf = (director: Host): Program => {
  const daemon = daemons.get(director);
  assert.ok(daemon);
  return daemon;
};

const syncOf = (director: Host): SyncReport =>
  JSON.parse(operator(director, 'sync', 'status', '--json')) as SyncReport;
type Peer = NonNullable<SyncReport['relay']>['peers'][number];
const peerOf = (director: Host): Peer => {
  const [peer] = syncOf(director).relay?.peers ?? [];
  assert.ok(peer);
  return peer;
};
const connected = (director: Host): Promise<number> =>
  scene.until(`${director.name} hears the other`, () => {
    try {
      return peerOf(director).connected;
    } catch {
      return false;
    }
  });
const takeOver = (director: Host): Promise<number> =>
  scene.until(`${director.name} is master`, async () => (await stateOf(director)) === 'MASTER');

/** The clients' ports of the connections that a director's kernel has. */
const portsOf = (director: Host, client = '10.0.0.10'): string[] =>
  director
    .run('ipvsadm', '-Lnc')
    .split('\n')
    .flatMap((row) => new RegExp(` ESTABLISHED +${client}:(\\d+) `).exec(row)?.[1] ?? []);

let client: Client;
/** More connections, until the backup has all that the master has. */
async function connect(count: number, master: Host): Promise<void> {
  const before = (await client.report()).open;
  assert.is((await client.open(count, VIP)).open, before + count, 'all are open');
  const backup = other(master);
  await scene.until(`${backup.name} has every connection`, () => {
    const has = new Set(portsOf(backup));
    const all = portsOf(master);
    return all.length >= count && all.every((port) => has.has(port));
  });
}

story.before(async () => {
  await Promise.all(pair.servers.map((server) => realServer(server)));
  client = await Client.start(pair.user);
  for (const director of pair.directors) {
    keyed(director, KEYS.old);
    start(director);
  }
  await takeOver(one);
  for (const director of pair.directors) await connected(director);
});

story(
  'the backup has the connections of the master, and the kernels say nothing on the network',
  async () => {
    const listener = third.start('group', [PYTHON, GROUP, 'hear', THIRD]);
    await scene.until('the third listens', () => listener.log.includes('listens'));
    await connect(30, one);
    assert.is(listener.log.trim(), 'listens');
    const { sent, unsent, rejected } = peerOf(one);
    assert.ok(sent > 0);
    assert.equal([unsent, rejected], [0, {}]);
    assert.match(operator(two, 'sync', 'status'), /10\.0\.0\.1:5408 .* ago/);
  },
);

const FORGED = 1000;
const forgedRecords = (): string =>
  toHex(
    encodeMessage({
      version: 1,
      syncId: ID,
      connections: Array.from({ length: 40 }, (_, i) => ({
        protocol: 6,
        flags: 0,
        state: 1,
        client: { address: ip('10.0.0.77'), port: 1000 + i },
        virtual: { address: ip(VIP), port: ECHO_PORT },
        destination: { address: ip('192.168.1.11'), port: ECHO_PORT },
        fwmark: 0,
        timeout: 900,
      })),
    }),
  );
/** The third sends datagrams to the backup as if they were the master's. */
const pose = (datagrams: readonly string[]): string =>
  run(
    third.command(PYTHON, THIEF, 'say', addressOf(one), addressOf(two), `${PORT}`),
    `${datagrams.join('\n')}\n`,
  );

/** A number that the master does not reach here. */
const NUMBER_AT = 16 * 2;
const later = (hex: string): string =>
  `${hex.slice(0, NUMBER_AT)}00000000000fffff${hex.slice(NUMBER_AT + 16)}`;

story(
  'a third host forges records, replays what it has heard, and cuts it: nothing is accepted',
  async () => {
    const ear = one.start('ear', [PYTHON, THIEF, 'hear', `${PORT}`]);
    await scene.until('it is heard what is sent', () => ear.log.includes('listens'));
    await connect(10, one);
    const isParcel = (hex: string): boolean => hex.startsWith(toHex(new TextEncoder().encode('VKP1')));
    const heard = (): string[] =>
      ear.log
        .split('\n')
        .slice(0, -1)
        .filter((line) => /^[0-9a-f]+$/.test(line));
    await scene.until('datagrams of connections were captured', () => heard().some(isParcel));
    const captured = heard();
    const parcels = captured.filter(isParcel);
    const before = portsOf(two).sort();
    const forged = forgedRecords();
    third.run(PYTHON, GROUP, 'say', THIRD, forged);
    const cut = parcels.flatMap((hex) => [4, 20, 39, 40, 60].map((bytes) => hex.slice(0, bytes * 2)));
    // Of a number that has not come yet: what stops them is the key alone.
    const renumbered = parcels.flatMap((hex) => [later(hex), later(hex.slice(0, -2))]);
    pose([...parcels, ...cut, ...renumbered, ...Array<string>(FORGED).fill(forged), ...captured]);
    third.run(
      PYTHON,
      '-c',
      `import socket; socket.socket(2, 2).sendto(b"x", ("${addressOf(two)}", ${PORT}))`,
    );
    await scene.until('each of them was refused', () => {
      const { rejected } = peerOf(two);
      const { malformed = 0, replayed = 0, forged: changed = 0 } = rejected;
      return (
        malformed >= FORGED + parcels.length * 3 &&
        replayed >= parcels.length * 2 &&
        changed >= renumbered.length
      );
    });
    await scene.until('and the one of a stranger', () => syncOf(two).relay?.strangers === 1);
    const counts = `${FORGED} forged, ${captured.length} replayed, ${cut.length} cut, ${renumbered.length} renumbered`;
    console.log(`  of ${counts} none was taken:`, peerOf(two).rejected);
    assert.equal(portsOf(two, '10.0.0.77'), [], 'no forged record was accepted');
    assert.equal(portsOf(two).sort(), before, 'and what was there is there');
    await scene.until('the log says it', () =>
      /datagrams of connection sync: .* not taken: /.test(daemonOf(two).log),
    );
    ear.signal('SIGTERM');
  },
);

story('keys are replaced under traffic: nothing is lost, nothing is refused', async () => {
  await restartSync(two);
  const before = peerOf(two);
  const steps: readonly (readonly string[])[] = [[KEYS.old, KEYS.new], [KEYS.new, KEYS.old], [KEYS.new]];
  for (const keys of steps) {
    for (const director of pair.directors) {
      const reloads = daemonOf(director).log.split('reloaded ').length;
      keyed(director, ...keys);
      daemonOf(director).signal('SIGHUP');
      await scene.until('it is reloaded', () => daemonOf(director).log.split('reloaded ').length > reloads);
      await connect(3, one);
    }
  }
  const { received, lost, rejected } = peerOf(two);
  assert.ok(received > before.received);
  assert.equal([lost, rejected], [before.lost, before.rejected]);
});

/** Ends the process of connection sync, and waits for the next. */
async function restartSync(director: Host): Promise<void> {
  const before = pidOf(director, 'sync');
  director.run('kill', '-9', `${before}`);
  await scene.until('another sync process', () => pidOf(director, 'sync') !== before);
  await connected(director);
  await connected(other(director));
}

story('a sync process that dies is followed by one that goes on with the same link', async () => {
  const linkOf = (): string => one.run('ip', '-o', 'link', 'show', 'vksync').split(':')[0] ?? '';
  const link = linkOf();
  await restartSync(one);
  assert.is(linkOf(), link);
  await connect(5, one);
});

story('who removes the link gets it back, with kernel daemons that hear', async () => {
  for (const director of pair.directors) director.run('ip', 'link', 'delete', 'vksync');
  for (const director of pair.directors) {
    await scene.until('the link is there again', () => director.run('ip', '-o', 'link').includes('vksync'));
  }
  await connect(5, one);
});

story('a reload goes over to multicast and back: the link goes, and comes', async () => {
  const relayed = configuration(two);
  const plain = relayed.replace('vksync', 'rack').replace(/sync_relay \{[^}]*\}/, '');
  const hasLink = (): boolean => two.run('ip', '-o', 'link').includes('vksync');
  for (const [text, device] of [
    [plain, 'rack'],
    [relayed, 'vksync'],
  ] as const) {
    file(two, 'vipkeeper.conf', text);
    daemonOf(two).signal('SIGHUP');
    await scene.until(`the kernel syncs on ${device}`, () =>
      two.run('ipvsadm', '-L', '--daemon').includes(`mcast=${device}`),
    );
    await scene.until('the link is as it should be', () => hasLink() === (device === 'vksync'));
  }
  await connected(one);
  await connected(two);
  await connect(5, one);
});

story(
  'either director is started again: the link goes, comes, and sync goes on in both directions',
  async () => {
    for (const director of [two, one]) {
      await daemonOf(director).stop('SIGTERM');
      assert.not.ok(director.run('ip', '-o', 'link').includes('vksync'), 'the link is gone');
      assert.is(director.run('ipvsadm', '-L', '--daemon').trim(), '');
      await takeOver(other(director));
      start(director);
      await connected(director);
      await connected(other(director));
      await takeOver(one);
      await connect(5, one);
    }
  },
);

story('what a killed daemon has left is removed', async () => {
  two.kill('SIGKILL');
  assert.ok(two.run('ip', '-o', 'link').includes('vksync'));
  const path = pathOf(two, 'vipkeeper.conf');
  const run = ['--run-dir', pathOf(two, 'run'), '--state-dir', pathOf(two, 'state')];
  two.run(join(ROOT, 'bin/vipkeeperd'), '--clear-remains', '-n', '-f', path, ...run);
  assert.not.ok(two.run('ip', '-o', 'link').includes('vksync'));
});

story.run();
