import * as assert from 'uvu/assert';
import type { Link } from '../../../src/core/netlink/link.ts';
import { changesOf, parseOriginal } from '../../../src/core/reconcile/originals.ts';
import { stepsOf, type VmacsEffect, type WantedLink } from '../../../src/core/reconcile/vmac-events.ts';
import { Vmacs } from '../../../src/core/reconcile/vmacs.ts';
import type { Instant } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { link as shown } from './kernel-model.ts';

const test = suite('which VMACs there should be');
const at = (seconds: number): Instant => (seconds * 1e6) as Instant;
const MAC = '00:00:5e:00:01:07';
const BELOW = { arp_ignore: 1, arp_filter: 1, arp_announce: 2 };

const lan = shown(2, 'lan', { ipv4: { arp_ignore: 0, arp_filter: 0, arp_announce: 1 } });
const vmac = shown(5, 'vrrp.7', { kind: 'macvlan', lower: 2, mac: MAC });
const wanted: WantedLink = {
  name: 'vrrp.7',
  base: 'lan',
  ipv4: true,
  ipv6: false,
  sort: { kind: 'macvlan', mac: MAC },
};

/** The machine with its effects in short. */
class Play {
  readonly machine = new Vmacs();
  now = at(0);

  links(...links: Link[]): string[] {
    this.machine.handle({ type: 'links', links }, this.now);
    return this.take();
  }
  want(...links: WantedLink[]): string[] {
    this.machine.handle({ type: 'want', links }, this.now);
    return this.take();
  }
  made(errno = 0, text?: string): string[] {
    const why = text === undefined ? {} : { text };
    this.machine.handle({ type: 'made', name: 'vrrp.7', errno, ...why }, this.now);
    return this.take();
  }
  later(seconds: number): string[] {
    this.now = at(this.now / 1e6 + seconds);
    const due = this.machine.deadline();
    if (due !== undefined && due <= this.now) this.machine.timeout(this.now);
    return this.take();
  }
  take(): string[] {
    return this.machine.take().map(brief);
  }
}

function brief(effect: VmacsEffect): string {
  switch (effect.type) {
    case 'make':
      return `${effect.how} ${effect.link.name} on ${effect.link.base}`;
    case 'conf':
      return `conf ${effect.name} ${JSON.stringify(effect.conf)}`;
    case 'mtu':
      return `mtu ${effect.name} ${effect.mtu}`;
    case 'asymmetric':
      return `asymmetric ${effect.on}`;
    case 'problem':
      return `problem ${effect.name} ${effect.errno}`;
    default:
      return `${effect.type} ${effect.name}`;
  }
}

const BEGIN = [`conf lan ${JSON.stringify(BELOW)}`, 'asymmetric true', 'add vrrp.7 on 2'];

/** One that made its VMAC. */
function settled(): Play {
  const play = new Play();
  play.links(lan);
  assert.equal(play.want(wanted), BEGIN);
  assert.equal(play.made(), []);
  assert.equal(play.links(lan, vmac), []);
  return play;
}

test('it is made once, and goes with what it changed when it is no longer wanted', () => {
  const play = settled();
  assert.equal(play.want(wanted), []);
  assert.equal(play.later(60), []);
  assert.equal(play.want(), [
    'remove vrrp.7',
    'conf lan {"arp_ignore":0,"arp_filter":0,"arp_announce":1}',
    'asymmetric false',
  ]);
});

test('news that are older than the making do no harm', () => {
  const play = new Play();
  play.links(lan);
  play.want(wanted);
  play.made();
  assert.equal(play.links(lan), [], 'its making has not been shown yet');
  assert.equal(play.links(lan, vmac), []);
});

test('it is made again when it vanished, at most once a second, or was never shown', () => {
  const play = settled();
  assert.equal(play.links(lan), []);
  assert.equal(play.later(1), ['add vrrp.7 on 2']);
  play.made();
  assert.equal(play.later(0.5), []);
  assert.equal(play.later(0.6), ['add vrrp.7 on 2']);
});

test('it waits for the interface below, and follows it to another number', () => {
  const play = new Play();
  assert.equal(play.want(wanted), ['asymmetric true']);
  assert.equal(play.links(), []);
  assert.equal(
    play.links(lan),
    BEGIN.filter((effect) => !effect.startsWith('asym')),
  );
  play.made();
  play.links(lan, vmac);
  assert.equal(play.links(), []);
  play.later(1);
  assert.equal(play.links({ ...lan, ifindex: 9 }), [BEGIN[0], 'add vrrp.7 on 9']);
});

test('what an earlier life left is taken over; on another interface it is made anew', () => {
  const play = new Play();
  play.links(lan, vmac);
  assert.equal(play.want(wanted).slice(2), ['adopted vrrp.7', 'change vrrp.7 on 2']);
  const other = new Play();
  other.links(lan, { ...vmac, lower: 3 });
  assert.equal(other.want(wanted).slice(2), ['remove vrrp.7', 'add vrrp.7 on 2']);
});

test('an interface of somebody else is left alone, said once, and waited for', () => {
  const play = new Play();
  const veth = shown(5, 'vrrp.7', { kind: 'veth' });
  const foreign = shown(5, 'vrrp.7', { kind: 'macvlan', lower: 3, mac: '02:00:00:00:00:01' });
  for (const there of [veth, foreign]) {
    play.links(lan, there);
    play.want(wanted);
    play.later(1);
    assert.equal(play.links(lan, there), []);
  }
  assert.equal(play.links(lan), []);
  assert.equal(play.later(1), ['add vrrp.7 on 2']);
});

test('a refusal is said once and tried again', () => {
  const play = new Play();
  play.links(lan);
  play.want(wanted);
  assert.equal(play.made(95), ['problem vrrp.7 95']);
  for (let i = 0; i < 3; i++) {
    assert.equal(play.later(1), ['add vrrp.7 on 2']);
    assert.equal(play.made(95), []);
  }
  play.later(1);
  assert.equal(play.made(), []);
  assert.equal(play.links(lan, vmac), []);
});

test('it has the MTU of the interface below; a refused one is not tried for ever', () => {
  const play = settled();
  assert.equal(play.links({ ...lan, mtu: 9000 }, vmac), ['mtu vrrp.7 9000']);
  assert.equal(play.links({ ...lan, mtu: 9000 }, vmac), []);
  assert.equal(play.links({ ...lan, mtu: 9000 }, { ...vmac, mtu: 9000 }), []);
});

test('one that somebody set down stays down', () => {
  assert.equal(settled().links(lan, { ...vmac, flags: 0x1002 }), []);
});

test('an IPv6 VMAC leaves the interface below as it is, and takes no address from a router', () => {
  const play = new Play();
  play.links(lan);
  const six: WantedLink = { ...wanted, ipv4: false, ipv6: true };
  assert.equal(play.want(six), ['add vrrp.7 on 2']);
  const link = { name: 'vrrp.7', base: 2, kind: 'macvlan' as const, mac: MAC };
  const steps = (wish: WantedLink) =>
    stepsOf({ type: 'make', how: 'add', wanted: wish, link }).map((step) =>
      step.type === 'sysctl' ? `${step.path}=${step.value}` : step.request.asked,
    );
  const conf = 'set net.ipv4.conf.vrrp.7: arp_ignore, accept_local, rp_filter, promote_secondaries';
  const begin = ['make the macvlan vrrp.7', conf, 'keep link-local addresses off vrrp.7'];
  const ipv6 = ['accept_ra=0', 'autoconf=0', 'disable_ipv6=0'].map((key) => `ipv6/conf/vrrp.7/${key}`);
  assert.equal(steps(six), [...begin, ...ipv6, 'set vrrp.7 up']);
  assert.equal(steps(wanted), [...begin, 'ipv6/conf/vrrp.7/disable_ipv6=1', 'set vrrp.7 up']);
});

test('it is in the VRF of the interface below, and in no bridge', () => {
  for (const kind of ['vrf', 'bridge']) {
    const play = new Play();
    play.links({ ...lan, master: 4 }, shown(4, 'red', { kind }));
    play.machine.handle({ type: 'want', links: [wanted] }, play.now);
    const made = play.machine.take().find((effect) => effect.type === 'make');
    assert.is(made?.type === 'make' && made.link.master, kind === 'vrf' ? 4 : undefined);
  }
});

test('what an earlier life changed is put back to what was there before it', () => {
  const left = shown(2, 'lan', { ipv4: BELOW });
  const originals = changesOf('lan', lan.ipv4 ?? {}, BELOW);
  const before = 'conf lan {"arp_ignore":0,"arp_filter":0,"arp_announce":1}';
  const again = new Play();
  again.links(left);
  again.machine.handle({ type: 'inherit', originals }, again.now);
  assert.equal(again.want(wanted), BEGIN);
  assert.equal(again.machine.originals(), originals);
  assert.equal(again.want(), ['remove vrrp.7', before, 'asymmetric false']);
  assert.equal(again.machine.originals(), []);
  const without = new Play();
  without.links(left);
  without.machine.handle({ type: 'inherit', originals }, without.now);
  assert.equal(without.want(), [before]);
});

test('an original that was written down is read as it was, and rubbish is none', () => {
  for (const original of changesOf('eth0.100', {}, BELOW))
    assert.equal(parseOriginal(JSON.stringify(original)), original);
  const rubbish = ['', 'null', '7', '{', '{"device":"../..","setting":"rp_filter","before":0,"ours":1}'];
  const other = '{"device":"lan","setting":"forwarding","before":0,"ours":1}';
  for (const text of [...rubbish, other]) assert.is(parseOriginal(text), undefined, text);
});

test.run();
