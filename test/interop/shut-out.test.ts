import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { operator, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import { ip, run } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * The example agent etc/fence/fence_by_ssh_nft: a director is not switched off, but shut out at its neighbour, a router
 * that OpenSSH's sshd lets the other director into.
 */
await enclose();

const VIP = '10.0.0.100';
const ADDRESS = { a: '10.0.0.1', b: '10.0.0.2' } as const;
/** Of the router: for the directors' packets, and for their logins. */
const ROUTER = { lan: '10.0.0.254', admin: '10.9.0.254' } as const;
const ADMIN = { a: '10.9.0.1', b: '10.9.0.2' } as const;
type Name = keyof typeof ADDRESS;
const peerOf = (name: Name): Name => (name === 'a' ? 'b' : 'a');

const test = suite('a director is shut out at its neighbour');
let scene: Scene;
let link: Link;
let router: Host;
let folder: string;
const hosts = {} as Record<Name, Host>;

const macOf = (host: Host): string =>
  /link\/ether (\S+)/.exec(run(['ip', '-n', host.name, '-o', 'link', 'show', 'dev', 'lan']))?.[1] ?? '';

const configuration = (name: Name): string => `heartbeat {
  key_file ${join(folder, 'key')}
  director a ${ADDRESS.a}
  director b ${ADDRESS.b}
  longest_promise 3
}
fence_device ${peerOf(name)}-out {
  agent ${join(ROOT, 'etc/fence/fence_by_ssh_nft')}
  target ${peerOf(name)}
  parameter ip ${ROUTER.admin}
  parameter mac ${macOf(hosts[peerOf(name)])}
  parameter identity_file ${join(folder, 'login')}
  parameter known_hosts ${join(folder, 'known_hosts')}
  monitor 1
}
vrrp_instance VI_1 {
  interface lan
  virtual_router_id 51
  version 3
  priority ${name === 'a' ? 150 : 100}
  nopreempt
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
}
`;
const start = (name: Name): void => void vipkeeper(hosts[name], configuration(name), '-P');
const stateOf = async (name: Name): Promise<string | undefined> =>
  (await statusOf(hosts[name]))?.vrrp?.instances[0]?.state;
/** Who answers the router for the virtual address. */
function served(): string {
  router.run('ip', 'neigh', 'flush', 'dev', 'lan');
  if (!router.reaches(VIP)) return 'nobody';
  const mac = /lladdr (\S+)/.exec(router.run('ip', 'neigh', 'show', VIP))?.[1];
  return Object.values(hosts).find((host) => macOf(host) === mac)?.name ?? `${mac}`;
}
const part = (apart: boolean): void => link.part(Object.values(hosts), apart);

/** Of the router: root may log in with the key of the directors. */
function startSshd(): void {
  const key = (name: string): void =>
    void run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
  key('login');
  key('host');
  mkdirSync('/run/sshd', { recursive: true });
  const lines = [
    `ListenAddress ${ROUTER.admin}`,
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'login.pub')}`,
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
  ];
  writeFileSync(join(folder, 'sshd_config'), `${lines.join('\n')}\n`);
  router.start('sshd', ['/usr/sbin/sshd', '-D', '-e', '-f', join(folder, 'sshd_config')]);
}

test.before(async () => {
  scene = new Scene();
  link = scene.link('lan');
  const admin = scene.link('admin');
  for (const name of ['a', 'b'] as const)
    hosts[name] = scene.host(name).on(link, `${ADDRESS[name]}/24`).on(admin, `${ADMIN[name]}/24`);
  router = scene.host('router').on(link, `${ROUTER.lan}/24`).on(admin, `${ROUTER.admin}/24`);
  folder = join(scene.folder, 'fence');
  mkdirSync(folder);
  writeFileSync(join(folder, 'key'), 'a secret of these two\n', { mode: 0o600 });
  startSshd();
  await scene.until('sshd has told its key', () => {
    const keys = hosts.a.run('ssh-keyscan', ROUTER.admin);
    writeFileSync(join(folder, 'known_hosts'), keys);
    return keys.includes('ed25519');
  });
  start('a');
  start('b');
});
test.after(() => scene.close());

test('the agent is looked at in peacetime', async () => {
  await scene.until('one is master', async () => [await stateOf('a'), await stateOf('b')].includes('MASTER'));
  await scene.until('the devices work', () =>
    Object.values(hosts).every((host) => /works/.test(operator(host, 'fence', 'status'))),
  );
});

test('parted, the other shuts the master out at the router, and serves there', async () => {
  const first: Name = (await stateOf('a')) === 'MASTER' ? 'a' : 'b';
  const other = peerOf(first);
  await scene.until('the router reaches the master', () => served() === first);
  part(true);
  await scene.until('the other serves', () => served() === other);
  assert.match(operator(hosts[other], 'fence', 'status'), `${first} was switched off by ${first}-out`);
  assert.not.ok(router.reaches(ADDRESS[first]), 'nothing of the first arrives');
  assert.ok(hosts[first].processes().length > 0, 'it runs on');
  assert.ok(hosts[first].has(VIP), 'and believes that it is master');
  // What lets it in again says: stop it first.
  hosts[first].kill();
  ip(first, `address flush dev lan to ${VIP}`);
  part(false);
  assert.is(operator(hosts[other], 'fence', 'on', first, '--yes'), `${first} is on\n`);
  await scene.until('it is let in', () => router.reaches(ADDRESS[first]));
  start(first);
  await scene.until('it follows', async () => (await stateOf(first)) === 'BACKUP');
  await scene.until('the other still serves', () => served() === other);
});

test('a router that does not let us in is told before it is needed', async () => {
  writeFileSync(join(folder, 'login.pub'), '');
  await scene.until('it is said', () =>
    /Permission denied/.test(operator(hosts.a, 'fence', 'status').replace(/\s+/g, ' ')),
  );
});

test.run();
