import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { DOWN, instance, link, prefix, Shell } from './shell.ts';

const test = suite('takeover_policy of a director');
const MAC = '02:00:00:00:00:01';
const ASKING = /^(ask|weigh|fence|spare|told|crit|warning|notice: VI_1: takeover)/;

/** A backup whose master was heard at 1 s for the last time; at 4.61 s it would be replaced. */
const following = (more: Partial<VrrpSettings> = {}): Shell => {
  const shell = Shell.of([instance({ takeoverPolicy: 'evidence', ...more })]);
  shell.until(1).advert(150);
  shell.taken();
  return shell;
};

test('a master that is gone is replaced when VRRP says so, on evidence', () => {
  const shell = following();
  assert.equal(shell.until(5).taken(ASKING), [
    'ask eth0 10.0.0.1 10.0.0.100',
    'weigh alone 10.0.0.1',
    'notice: VI_1: takeover_policy: take: neither 10.0.0.1 nor a virtual address answers',
    'told VI_1 MASTER',
  ]);
  assert.is(shell.status().state, 'MASTER');
  assert.equal(shell.held, ['10.0.0.100/24']);
});

test('one that serves on is an alarm, once; nothing of it is taken', () => {
  const shell = following();
  shell.neighbours.set('10.0.0.100', MAC);
  const why = `10.0.0.100 is served on: ${MAC} answers for it`;
  assert.equal(shell.until(7).taken(ASKING), [
    'ask eth0 10.0.0.1 10.0.0.100',
    'weigh alone 10.0.0.1',
    `warning: VI_1: takeover_policy: wait: ${why}`,
    `crit: VI_1: the adverts of 10.0.0.1 have stopped, but ${why}`,
    'told VI_1 STILL_SERVED',
    'ask eth0 10.0.0.1 10.0.0.100',
    'weigh alone 10.0.0.1',
    'ask eth0 10.0.0.1 10.0.0.100',
  ]);
  assert.equal([shell.status().state, shell.held], ['BACKUP', []]);
  const [decision] = shell.status().takeover?.decisions ?? [];
  assert.equal([decision?.verdict, decision?.times], ['wait', 2]);
  shell.neighbours.clear();
  shell.until(10);
  assert.is(shell.status().state, 'MASTER');
});

test('each address is asked for on its own link, and never from a VMAC', () => {
  const addresses = [
    { address: prefix('10.0.0.100/24'), scope: 0 },
    { address: prefix('10.1.0.100/24'), scope: 0, dev: 'wan0' },
  ];
  const mac = '00:00:5e:00:01:33';
  const virtual = { name: 'vrrp.51', sort: { kind: 'macvlan', mac } } as const;
  const shell = following({ addresses, virtual });
  assert.equal(shell.until(4.5).taken(/^ask/), ['ask eth0 10.0.0.1 10.0.0.100', 'ask wan0 10.1.0.100']);
});

test('what the cluster knows counts; whose master is fenced is known by the group', () => {
  const groups = [
    { name: 'G', members: ['VI_1'], track: [], weights: true, takeoverPolicy: 'proof' },
  ] as const;
  const shell = Shell.of([instance()], { groups });
  shell.until(1).advert(150);
  const peer = { name: 'a', heard: false, claims: false, off: false, fenced: true };
  shell.cluster = { peer };
  assert.equal(shell.until(5).taken(/^(weigh|fence|spare)/), ['weigh G 10.0.0.1', 'fence G 10.0.0.1']);
  shell.advert(150);
  assert.equal(shell.taken(/^(weigh|fence|spare)/), ['spare G 10.0.0.1']);
  shell.until(9);
  shell.cluster = { peer: { ...peer, off: true } };
  shell.until(11);
  assert.match(shell.status().cause, 'a is off');
  assert.is(shell.status().state, 'MASTER');
});

test('a member of a group waits by the policy of the group, not by its own', () => {
  const groups = [{ name: 'G', members: ['VI_1'], track: [], weights: true }] as const;
  const shell = Shell.of([instance({ takeoverPolicy: 'proof' })], { groups });
  shell.until(1).advert(150);
  assert.equal(shell.until(6).taken(/^(ask|weigh)/), []);
  assert.is(shell.status().takeover, undefined);
});

test('who has no link gives up, and takes over when it is back', () => {
  const shell = following({ trackPrimary: false });
  shell.hear(link(1, 'eth0', DOWN));
  assert.match(
    shell
      .until(4.7)
      .taken(/takeover/)
      .join(),
    'takeover_policy: give up: this director has no link',
  );
  assert.is(shell.status().state, 'BACKUP');
  shell.hear(link(1, 'eth0'));
  assert.match(
    shell
      .until(7)
      .taken(/takeover/)
      .join(),
    'takeover_policy: take: neither',
  );
});

test('an answer that nobody asked for is none', () => {
  const shell = following();
  shell.event({ type: 'answered', address: ip('10.0.0.100'), mac: MAC });
  assert.match(
    shell
      .until(5)
      .taken(/takeover/)
      .join(),
    'takeover_policy: take: neither',
  );
});

test.run();
