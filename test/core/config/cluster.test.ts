import * as assert from 'uvu/assert';
import { type Facts, NO_HOST } from '../../../src/core/config/facts.ts';
import { ip } from '../../../src/core/ip.ts';
import { millis, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { configured, findings, instance, KEY_FILE } from './memory.ts';

const test = suite('heartbeat and witness');

const PAIR = 'director a 10.0.0.1 10.1.0.1\ndirector b 10.0.0.2';
const WITNESS = 'witness {\naddress 10.0.0.9\n}\n';
const heartbeat = (lines: string): string => `heartbeat {\n${lines}\n}\n`;
const whole = (lines = ''): string => heartbeat(`key_file ${KEY_FILE}\n${PAIR}\nname a\n${lines}`) + WITNESS;
/** A host that has this address. */
const hostOf = (address: string): Facts => ({ ...NO_HOST, isOwnAddress: (each) => each === ip(address) });
const told = (text: string, facts?: Facts): string => findings(text, {}, facts).join('\n');

test('a pair and its witness, with what is not said', () => {
  const { cluster } = configured(whole() + instance('advert_int 2\nvirtual_ipaddress {\n10.0.0.100\n}'));
  assert.equal(cluster, {
    cluster: 'vipkeeper',
    name: 'a',
    directors: [
      { name: 'a', addresses: [ip('10.0.0.1'), ip('10.1.0.1')] },
      { name: 'b', addresses: [ip('10.0.0.2')] },
    ],
    witness: { name: 'witness', addresses: [ip('10.0.0.9')], port: 5407 },
    port: 5406,
    keyFile: KEY_FILE,
    interval: millis(500),
    longest: seconds(10),
    margin: 0.01,
  });
});

test('this director is the one with an address of this host, or the one that is named', () => {
  const unnamed = heartbeat(`key_file ${KEY_FILE}\n${PAIR}`) + WITNESS;
  assert.is(told(unnamed, hostOf('10.0.0.2')), '');
  assert.match(
    told(unnamed, hostOf('10.0.0.7')),
    'error 1:1 no director of heartbeat has an address of this host',
  );
  assert.match(told(whole('name c')), 'there is no director c in heartbeat');
});

test('what is missing is said', () => {
  assert.match(told(WITNESS), 'error 1:1 a witness needs a heartbeat block');
  assert.match(told(heartbeat(`${PAIR}\nname a`)), 'heartbeat has no key_file');
  assert.match(
    told(heartbeat(`key_file ${KEY_FILE}\nname a\ndirector a 10.0.0.1`)),
    'fewer than two directors',
  );
  assert.match(
    told(`${heartbeat(`key_file ${KEY_FILE}\n${PAIR}\nname a`)}witness {\n}\n`),
    'witness has no address',
  );
});

test('a key that cannot be read, is short, or is everybody’s is an error', () => {
  const withKey = (path: string): string => heartbeat(`key_file ${path}\n${PAIR}\nname a`) + WITNESS;
  assert.match(told(withKey('/nowhere')), 'error 2:10 the key cannot be read: /nowhere does not exist');
  assert.match(findings(withKey('/short'), { '/short': 'abc\n' }).join(), 'shorter than 16 bytes');
  assert.match(
    told(withKey(KEY_FILE), { ...NO_HOST, isExposed: () => true }),
    'others than its owner can read',
  );
});

test('two voters protect nothing, and an even number is no better than one less', () => {
  const alone = heartbeat(`key_file ${KEY_FILE}\n${PAIR}\nname a`);
  assert.match(told(alone), 'warning 1:1 two directors alone cannot outvote each other');
  const three = heartbeat(`key_file ${KEY_FILE}\n${PAIR}\ndirector c 10.0.0.3\nname a`);
  assert.is(told(three), '');
  assert.match(told(three + WITNESS), 'warning 1:1 4 voters are no better than 3');
});

const withEtcd = (lines: string): string =>
  `${heartbeat(`key_file ${KEY_FILE}\n${PAIR}\nname a`)}witness {\n${lines}\n}\n`;

test('etcd as the witness', () => {
  const plain = withEtcd('etcd http://10.0.0.9:2379') + instance('virtual_ipaddress {\n10.0.0.100\n}');
  assert.equal(configured(plain).cluster?.etcd, {
    name: 'etcd',
    endpoints: ['http://10.0.0.9:2379'],
    prefix: '/vipkeeper',
  });
  const whole = `etcd https://etcd1:2379 https://[fd00::1]:2379\nprefix /lb\nca_file ${KEY_FILE}\ncert_file ${KEY_FILE}
key_file ${KEY_FILE}\nuser lb\npassword_file ${KEY_FILE}`;
  assert.is(told(withEtcd(whole)), '');
  assert.match(told(withEtcd('etcd 10.0.0.9')), 'http://HOST:PORT or https://HOST:PORT');
  assert.match(told(withEtcd('etcd http://10.0.0.9:99999')), 'a port is a number from 1 to 65535');
});

test('what does not go with etcd is said', () => {
  const one = 'etcd https://10.0.0.9:2379';
  assert.match(told(withEtcd(`${one}\naddress 10.0.0.9`)), 'the witness is either etcd or at an address');
  assert.match(told(withEtcd(`address 10.0.0.9\nuser lb`)), 'user is for a witness that is etcd');
  assert.match(told(withEtcd(`${one}\nuser lb`)), 'user and password_file go together');
  assert.match(told(withEtcd(`${one}\nkey_file ${KEY_FILE}`)), 'cert_file and key_file go together');
  assert.match(told(withEtcd(`${one}\nca_file /nowhere`)), 'cannot be read: /nowhere does not exist');
  const login = `user lb\npassword_file ${KEY_FILE}`;
  assert.match(
    told(withEtcd(`etcd http://10.0.0.9:2379\n${login}`)),
    'warning 8:1 the password goes over the',
  );
  const exposed: Facts = { ...NO_HOST, isExposed: (path) => path === '/password' };
  const text = withEtcd(`${one}\nuser lb\npassword_file /password`);
  assert.match(
    findings(text, { '/password': 'x' }, exposed).join(),
    'others than its owner can read /password',
  );
});

test('names that come twice are errors', () => {
  assert.match(told(whole('director b 10.0.0.3')), 'director b is there twice');
  assert.match(told(`${whole()}witness {\nname b\n}\n`), 'b is a director and the witness');
});

test.run();
