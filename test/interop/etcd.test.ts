import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { operator, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import type { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';
import { CLUSTER, Directors, router } from './directors.ts';

/**
 * A pair of directors whose witness is an etcd cluster, Debian's etcd-server: of three members, and of one that wants
 * TLS, a certificate, and a user's password.
 */
await enclose();

type Name = 'a' | 'b';
const MEMBERS = ['e1', 'e2', 'e3'] as const;
type Member = (typeof MEMBERS)[number] | 'tls';
const MEMBER_ADDRESS: Readonly<Record<Member, string>> = {
  e1: '10.0.0.11',
  e2: '10.0.0.12',
  e3: '10.0.0.13',
  tls: '10.0.0.14',
};

const test = suite('a pair whose witness is etcd');
let directors: Directors<Name>;
let hosts: Directors<Name>['hosts'];
let scene: Scene;
let folder: string;
const members = {} as Record<Member, Host>;
const running = new Map<Member, Program>();

const url = (member: Member, scheme = 'http'): string => `${scheme}://${MEMBER_ADDRESS[member]}:2379`;
const OF_THREE = `etcd ${MEMBERS.map((member) => url(member)).join(' ')}`;

const configuration = (priority: number, witness: string): string =>
  `${directors.heartbeat()}witness {\n  ${witness}\n}\n${router(priority)}`;

function startEtcd(member: Member, ...more: readonly string[]): void {
  const isOne = member === 'tls';
  const scheme = isOne ? 'https' : 'http';
  const cluster = isOne ? [member] : MEMBERS;
  const peerOf = (each: Member): string => `http://${MEMBER_ADDRESS[each]}:2380`;
  const options = {
    name: member,
    'data-dir': join(folder, `data-${member}`),
    'listen-client-urls': url(member, scheme),
    'advertise-client-urls': url(member, scheme),
    'listen-peer-urls': peerOf(member),
    'initial-advertise-peer-urls': peerOf(member),
    'initial-cluster': cluster.map((each) => `${each}=${peerOf(each)}`).join(','),
    // Tests kill it, and the disk is not what they are about.
    'unsafe-no-fsync': 'true',
  };
  const words = Object.entries(options).flatMap(([option, value]) => [`--${option}=${value}`]);
  running.set(member, members[member].start('etcd', ['etcd', ...words, ...more]));
}

const TLS = (): string[] => ['ca.crt', 'client.crt', 'client.key'].map((name) => join(folder, name));
/** etcd's own client, asking this member. */
function etcdctl(member: Member, ...words: readonly string[]): string {
  const [ca = '', cert = '', key = ''] = TLS();
  const secure = member === 'tls' ? ['--cacert', ca, '--cert', cert, '--key', key] : [];
  const where = ['--endpoints', url(member, member === 'tls' ? 'https' : 'http')];
  return members[member].run('env', 'ETCDCTL_API=3', 'etcdctl', ...where, ...secure, ...words);
}
function answers(member: Member): boolean {
  try {
    etcdctl(member, 'endpoint', 'health');
    return true;
  } catch {
    return false;
  }
}
/** Which of the three leads; `undefined` for none. */
const leader = (): (typeof MEMBERS)[number] | undefined =>
  MEMBERS.find((member) => {
    if (running.get(member)?.running !== true) return false;
    const [status] = JSON.parse(etcdctl(member, 'endpoint', 'status', '-w', 'json')) as {
      Status: { header: { member_id: number }; leader: number };
    }[];
    return status !== undefined && status.Status.leader === status.Status.header.member_id;
  });

const voteOf = async (name: Name, voter: string): Promise<string | undefined> =>
  (await directors.claim(name))?.votes.find((vote) => vote.voter === voter)?.why;
const promised = (name: Name): Promise<number> =>
  scene.until('etcd promises', async () => (await voteOf(name, 'etcd')) === 'promised');
/** How many times it stands in the logs. */
const said = (text: string): number => scene.logs().split(text).length - 1;
const start = (witness: string): void => {
  vipkeeper(hosts.a, configuration(150, witness), '-P');
  vipkeeper(hosts.b, configuration(100, witness), '-P');
};

/** A certificate of our authority, for a member and for directors. */
function makeCertificates(): void {
  const openssl = (words: string): void => {
    const { status, stderr } = spawnSync('openssl', words.split(' '), { cwd: folder, encoding: 'utf8' });
    assert.is(status, 0, stderr);
  };
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
  openssl(`req -x509 ${key} -keyout ca.key -out ca.crt -days 2 -subj /CN=authority`);
  // The gateway of a member speaks to the member itself with the same certificate.
  const uses = { server: 'extendedKeyUsage=serverAuth,clientAuth', client: 'extendedKeyUsage=clientAuth' };
  for (const [name, use] of Object.entries(uses)) {
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=IP:${MEMBER_ADDRESS.tls}\n${use}\n`);
    openssl(`req -new ${key} -keyout ${name}.key -out ${name}.csr -subj /O=${name}`);
    const signed = `-CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ${name}.ext`;
    openssl(`x509 -req -in ${name}.csr ${signed} -out ${name}.crt`);
  }
}

test.before(async () => {
  directors = new Directors(['a', 'b']);
  ({ hosts, scene, folder } = directors);
  directors.secret('password', 'not to be guessed');
  for (const [member, address] of Object.entries(MEMBER_ADDRESS))
    members[member as Member] = scene.host(member).on(directors.link, `${address}/24`);
  makeCertificates();
  await directors.watched();
});
test.after(() => directors.close());
test.after.each(() => directors.notTwice());

test('the better one is elected, with all votes', async () => {
  for (const member of MEMBERS) startEtcd(member);
  await scene.until('etcd has a leader', () => MEMBERS.every(answers) && leader() !== undefined);
  start(OF_THREE);
  await directors.heldBy('a');
  await promised('a');
  const record = JSON.parse(
    etcdctl('e1', 'get', '--print-value-only', `/vipkeeper/${CLUSTER}/vrrp_instance VI_1`),
  );
  assert.is(record.director, 'a');
  assert.match(operator(hosts.a, 'status'), /etcd for \d\.\d s/);
});

test('parted from its peer, the holder keeps the address, and the other does not take it', async () => {
  directors.part(true);
  await scene.until('etcd refuses the other', async () =>
    /promised to a/.test((await voteOf('b', 'etcd')) ?? ''),
  );
  await directors.inVain('b');
  assert.is(directors.holder(), 'a');
  directors.part(false);
  await promised('a');
});

test('cut off from all, the holder lets go by itself, and the other takes over', async () => {
  directors.link.cut(hosts.a);
  await directors.heldBy('b');
  directors.link.mend(hosts.a);
  await directors.heldBy('a');
  await promised('a');
});

test('the leader of etcd killed while the holder dies: the other waits for a leader, and takes over', async () => {
  const leads = leader();
  assert.ok(leads !== undefined);
  members[leads].kill();
  hosts.a.kill();
  await directors.heldBy('b');
  await promised('b');
  vipkeeper(hosts.a, configuration(150, OF_THREE), '-P');
  await directors.heldBy('a');
  startEtcd(leads);
  await scene.until('it is there again', () => answers(leads));
});

test('without etcd the pair goes on; without the peer too, nobody takes the address', async () => {
  const before = { gone: said('etcd does not answer: http://10.0.0.1'), back: said('etcd answers again') };
  for (const member of MEMBERS) members[member].kill();
  await scene.until('the votes of the pair are enough', async () => {
    const [peer, etcd] = [await voteOf('a', 'b'), await voteOf('a', 'etcd')];
    return directors.holder() === 'a' && peer === 'promised' && etcd === 'no answer';
  });
  await scene.until('it is said', () => said('etcd does not answer: http://10.0.0.1') > before.gone);
  hosts.a.kill();
  await directors.heldBy('');
  await directors.inVain('b');
  assert.is(directors.holder(), '');
  for (const member of MEMBERS) startEtcd(member);
  await directors.heldBy('b');
  await scene.until('it is said', () => said('etcd answers again') > before.back);
  hosts.b.kill();
});

test('one member, with TLS, a certificate and a password', async () => {
  const [ca = '', cert = '', key = ''] = TLS();
  const server = [`--cert-file=${join(folder, 'server.crt')}`, `--key-file=${join(folder, 'server.key')}`];
  startEtcd('tls', ...server, '--client-cert-auth', `--trusted-ca-file=${ca}`);
  await scene.until('etcd answers', () => answers('tls'));
  etcdctl('tls', 'user', 'add', 'root:root');
  etcdctl('tls', 'user', 'grant-role', 'root', 'root');
  etcdctl('tls', 'role', 'add', 'vipkeeper');
  etcdctl('tls', 'role', 'grant-permission', 'vipkeeper', '--prefix=true', 'readwrite', '/vipkeeper/');
  etcdctl('tls', 'user', 'add', 'vipkeeper:not to be guessed');
  etcdctl('tls', 'user', 'grant-role', 'vipkeeper', 'vipkeeper');
  etcdctl('tls', 'auth', 'enable');
  const secure = `etcd ${url('tls', 'https')}
  ca_file ${ca}
  cert_file ${cert}
  key_file ${key}
  user vipkeeper
  password_file ${join(folder, 'password')}`;
  start(secure);
  await directors.heldBy('a');
  await promised('a');
  hosts.a.kill();
  await directors.heldBy('b');
  // A restarted member has forgotten the tokens that it gave.
  members.tls.kill();
  startEtcd('tls', ...server, '--client-cert-auth', `--trusted-ca-file=${ca}`);
  vipkeeper(hosts.a, configuration(150, secure), '-P');
  await directors.heldBy('a');
  hosts.b.kill();
  await promised('a');
  assert.not.match(scene.logs(), 'not to be guessed');
});

test('a wrong password, and an authority that did not sign: no vote, and the log says why', async () => {
  hosts.a.kill();
  await directors.heldBy('');
  const [ca = '', cert = '', key = ''] = TLS();
  directors.secret('wrong', 'guessed');
  // An etcd that was slow first is not the reason any more.
  const slow = '10.0.0.14:2379: no answer within';
  const before = said(slow);
  members.tls.freeze();
  const secure = `etcd ${url('tls', 'https')}\ncert_file ${cert}\nkey_file ${key}\nuser vipkeeper`;
  vipkeeper(
    hosts.a,
    configuration(150, `${secure}\nca_file ${ca}\npassword_file ${join(folder, 'wrong')}`),
    '-P',
  );
  await scene.until('it is slow', () => said(slow) > before);
  members.tls.thaw();
  await scene.until('it is said', () => /user vipkeeper: .*authentication failed/.test(scene.logs()));
  hosts.a.kill();
  vipkeeper(hosts.a, configuration(150, `${secure}\npassword_file ${join(folder, 'password')}`), '-P');
  await scene.until('it is said', () => /etcd does not answer: .*certificate/.test(scene.logs()));
  assert.is(directors.holder(), '');
});

test.run();
