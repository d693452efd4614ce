import * as assert from 'uvu/assert';
import { type MakeRouter, NO_SETTINGS } from '../../../src/core/director/events.ts';
import { seconds } from '../../../src/core/time.ts';
import { VrrpInstance } from '../../../src/core/vrrp/instance.ts';
import { suite } from '../../suite.ts';
import { at } from '../vrrp/router.ts';
import { DOWN, instance, ip, link, prefix, Shell, VIP, vip } from './shell.ts';

/** The director alone: each rule that its machines keep together. */
const test = suite('the director');

/** Master at second 4, long enough that its lease has been renewed. */
const master = (...args: Parameters<typeof Shell.of>): Shell => {
  const shell = Shell.of(...args).until(10);
  assert.is(shell.status().state, 'MASTER');
  shell.taken();
  return shell;
};

test('adverts first, then addresses, then routes and rules, then announcements; and the other way round', () => {
  const plain = { table: 254, protocol: 18, scope: 0, type: 1, dev: 'eth0', tracked: true };
  const routes = [{ destination: prefix('192.0.2.0/24'), via: ip('10.0.0.1'), ...plain }];
  const rules = [{ rule: { family: 4, priority: 7, table: 100, protocol: 18 }, tracked: true } as const];
  const shell = Shell.of([instance()], { routing: [{ instance: 'VI_1', routes, rules }] }).until(4);
  const order = shell.taken(/^sent|^add|^announce/);
  assert.equal(order, [
    'sent 51 100 to 224.0.0.18',
    `add ${VIP}/24`,
    'add route 192.0.2.0/24 via 10.0.0.1 table 254',
    'add rule priority 7 lookup 100',
    ...Array(1).fill(`announce ${Array(5).fill(VIP).join(' ')} on eth0 at 02:00:00:00:00:01`),
  ]);
  shell.event({ type: 'maintenance', on: true });
  assert.equal(shell.taken(/^sent|^remove/), [
    'sent 51 0 to 224.0.0.18',
    'remove rule priority 7 lookup 100',
    'remove route 192.0.2.0/24 via 10.0.0.1 table 254',
    `remove ${VIP}/24`,
  ]);
});

test('only an advert that left renews the lease', () => {
  const shell = master([instance()]);
  shell.until(12);
  assert.ok(shell.taken(/^renew/).length >= 2, 'renewed with the adverts');
  shell.unsent = 'EPERM';
  shell.until(15);
  assert.equal(shell.taken(/^renew|^add/), []);
  assert.equal(shell.held, []);
  assert.is(shell.status().state, 'FAULT');
});

test('an advert that would leave a little later than that of another router leaves with it, from the second on', () => {
  // The lower the priority, the later it becomes master: by 8 ms, and by 40 more.
  const priorities = [102, 100, 90];
  const shell = Shell.of(
    priorities.map((priority, i) => instance({ name: `VI_${i}`, vrid: 51 + i, priority })),
  );
  const times = new Map<string, number[]>();
  for (let ms = 3500; ms < 6000; ms++) {
    for (const sent of shell.until(ms / 1000).taken(/^sent/)) {
      const vrid = sent.split(' ')[1] ?? '';
      times.set(vrid, [...(times.get(vrid) ?? []), ms]);
    }
  }
  assert.equal(Object.fromEntries(times), {
    51: [3602, 4602, 5602],
    52: [3610, 4602, 5602],
    53: [3649, 4649, 5649],
  });
});

test('a resignation is no authority', () => {
  // So long after the last advert that one more would renew.
  const shell = master([instance()]).until(10.5);
  shell.taken();
  shell.advert(200);
  const done = shell.taken(/^sent|^renew|^add|^remove/);
  assert.equal(done, ['sent 51 100 to 224.0.0.18', `remove ${VIP}/24`], 'a farewell renews nothing');
  const other = master([instance()]).until(10.5);
  other.taken();
  other.event({ type: 'maintenance', on: true });
  assert.equal(other.taken(/^sent|^renew|^add|^remove/), ['sent 51 0 to 224.0.0.18', `remove ${VIP}/24`]);
});

test('nothing is installed before an advert has left', () => {
  for (const lease of [seconds(2), seconds(0)]) {
    const shell = Shell.of([instance({ lease })]);
    shell.unsent = 'EPERM';
    shell.until(5);
    assert.is(shell.status().state, 'MASTER');
    assert.equal(shell.held, []);
    shell.unsent = undefined;
    shell.until(5.7);
    assert.equal(shell.held, [`${VIP}/24`]);
  }
});

test('it comes back by itself when adverts leave again', () => {
  const shell = master([instance()]);
  shell.unsent = 'EPERM';
  shell.until(20);
  assert.match(shell.status().cause, /^no advert left for 2\.00 s: EPERM/);
  shell.unsent = undefined;
  shell.until(30);
  assert.is(shell.status().state, 'MASTER');
  assert.equal(shell.held, [`${VIP}/24`]);
});

test('an address that somebody removes is added again, and announced', () => {
  const shell = master([instance()]);
  shell.addresses.steal(`${VIP}/24`);
  shell.until(10.1);
  assert.equal(shell.held, [`${VIP}/24`]);
  const done = shell.taken(/added again|^announce/);
  assert.equal(done, [
    `warning: VI_1: ${VIP}/24 removed by someone else; added again`,
    `announce ${VIP} on eth0 at 02:00:00:00:00:01`,
  ]);
});

test('the links of a turn are looked at once: what flaps within it is no news', () => {
  const shell = master([instance()]);
  const flaps = Array.from({ length: 20 }, () => [link(1, 'eth0', DOWN), link(1, 'eth0')]);
  shell.hear(...flaps.flat());
  assert.equal(shell.taken(/->/), []);
  shell.hear(link(1, 'eth0', DOWN));
  assert.equal(shell.taken(/->/), ['notice: VI_1: MASTER -> FAULT: eth0 has no carrier']);
});

test('news of other interfaces ask nothing of anybody', () => {
  const shell = master([instance()]);
  const storm = Array.from({ length: 100 }, (_, i) => link(200 + i, `veth${i}`));
  shell.hear(...storm);
  assert.equal(shell.taken(), []);
});

test('a packet is for the router of its interface, family and VRID; others are counted', () => {
  const other = instance({ name: 'VI_2', vrid: 52 });
  const shell = Shell.of([instance(), other]).until(1);
  shell.advert(200, other);
  shell.advert(200, instance({ interface: 'wan0' }));
  shell.advert(200, instance({ vrid: 99 }));
  assert.is(shell.status('VI_2').statistics.advertsReceived, 1);
  assert.is(shell.status('VI_1').statistics.advertsReceived, 0);
  assert.is(shell.director.unknownVrids, 2);
});

test('sockets that no router needs are closed, and their groups left', () => {
  const unicast = { peers: [{ address: ip('10.0.0.1') }] };
  const away = instance({ name: 'VI_2', interface: 'wan0', vrid: 52 });
  const shell = Shell.of([instance(), away]);
  assert.equal(shell.sockets, ['eth0 IPv4 224.0.0.18', 'wan0 IPv4 224.0.0.18']);
  shell.configure([instance({ destination: ip('224.0.0.77') }), away]);
  assert.equal(shell.sockets, ['eth0 IPv4 224.0.0.77', 'wan0 IPv4 224.0.0.18']);
  shell.configure([instance(unicast)]);
  assert.equal(shell.sockets, ['eth0 IPv4']);
  shell.configure([instance({ ah: 'secret' })]);
  assert.equal(shell.sockets, ['eth0 IPv4 224.0.0.18 AH']);
  shell.configure([]);
  assert.equal(shell.sockets, []);
});

test('an interface that comes as another one gets other sockets', () => {
  const shell = master([instance()]);
  shell.links.delete(1);
  shell.event({ type: 'news', events: [{ type: 'link', present: false, link: link(1, 'eth0') }] });
  assert.equal(shell.ports, []);
  shell.hear(link(7, 'eth0'));
  assert.equal(
    shell.ports.map(({ ifindex }) => ifindex),
    [7],
  );
});

test('without a socket a router cannot serve; it is tried again', () => {
  const shell = new Shell();
  shell.refused.add('eth0');
  shell.configure([instance()]).until(2);
  assert.is(shell.status().state, 'FAULT');
  assert.is(shell.status().cause, 'no socket on eth0');
  assert.equal(shell.taken(/EMFILE/), ['error: EMFILE'], 'told once');
  shell.refused.clear();
  shell.until(3.5);
  assert.is(shell.status().state, 'BACKUP');
});

test('a router waits for its start', () => {
  const start = { delay: seconds(5), afterBoot: seconds(0) };
  const shell = Shell.of([instance()], { start }).until(4);
  assert.is(shell.status().state, 'INIT');
  shell.until(6);
  assert.is(shell.status().state, 'BACKUP');
});

test('what could not be announced is, when the link can send; nothing is after the address was given up', () => {
  const shell = Shell.of([instance()]);
  shell.unannounced = 'ENETDOWN';
  shell.until(6);
  assert.equal(shell.taken(/^announce/), []);
  shell.unannounced = undefined;
  shell.hear(link(1, 'eth0', DOWN));
  shell.until(8);
  assert.equal(shell.taken(/^announce/), [], 'it is in FAULT, and holds nothing');
  shell.hear(link(1, 'eth0')).until(20);
  assert.ok(shell.taken(/^announce/).length > 0);
});

test('an announcement that nobody took is tried again, without news of the link', () => {
  const shell = Shell.of([instance()]);
  shell.unannounced = 'EPERM';
  shell.until(6);
  shell.unannounced = undefined;
  shell.until(7.5);
  assert.equal(shell.taken(/^announce/), [`announce ${VIP} on eth0 at 02:00:00:00:00:01`]);
});

test('however many news there are in a turn, each router that they concern is told once, and no other', () => {
  const told: string[] = [];
  const makeRouter: MakeRouter = (settings, digest) => {
    const machine = new VrrpInstance(settings, digest);
    const { handle } = machine;
    machine.handle = (event, now) => {
      if (event.type === 'link') told.push(settings.name);
      handle.call(machine, event, now);
    };
    return machine;
  };
  const shell = new Shell({ makeRouter });
  shell.configure([instance(), instance({ name: 'VI_2', interface: 'wan0' })]).until(1);
  told.length = 0;
  const storm = Array.from({ length: 100 }, (_, i) => link(200 + i, `veth${i}`));
  shell.hear(...storm, link(1, 'eth0', DOWN), link(1, 'eth0'), link(1, 'eth0', { mtu: 1400 }));
  assert.equal(told, ['VI_1']);
});

test('an owner whose link rises announces nothing before an advert has left and its addresses are there', () => {
  const owner = instance({ priority: 255, initial: 'MASTER' });
  const shell = Shell.of([owner])
    .hear(link(1, 'eth0', DOWN))
    .until(5);
  shell.taken();
  shell.unsent = 'EPERM';
  shell.hear(link(1, 'eth0'));
  assert.is(shell.status().state, 'MASTER');
  assert.equal(shell.taken(/^announce/), []);
  shell.unsent = undefined;
  shell.until(7);
  assert.equal(shell.taken(/^add|^announce/), [
    `add ${VIP}/24`,
    `announce ${Array(5).fill(VIP).join(' ')} on eth0 at 02:00:00:00:00:01`,
  ]);
});

test('another MAC address is announced at once', () => {
  const shell = master([instance()]);
  shell.hear(link(1, 'eth0', { mac: '02:00:00:00:00:99' }));
  const [first] = shell.taken(/^announce/);
  assert.match(first ?? '', /at 02:00:00:00:00:99$/);
});

test('a VMAC is there before its router begins, and goes after it has said goodbye', () => {
  const sort = { kind: 'macvlan', mac: '00:00:5e:00:01:33' } as const;
  const shell = Shell.of([instance({ virtual: { name: 'vrrp.51', sort } })]);
  assert.equal(shell.taken(/^make|->/), ['make vrrp.51', 'notice: VI_1: INIT -> BACKUP: eth0 is up']);
  assert.equal(shell.sockets, ['vrrp.51 IPv4 224.0.0.18', 'eth0 IPv4 reports 224.0.0.18']);
  shell.until(5);
  shell.taken();
  shell.event({ type: 'stop' });
  assert.equal(shell.taken(/^sent|^remove/), [
    'sent 51 0 to 224.0.0.18',
    `remove ${VIP}/24`,
    'remove vrrp.51',
  ]);
});

test('all members of a sync group follow the link of an address of one of them', () => {
  const groups = [{ name: 'G', members: ['VI_1', 'VI_2'], track: [], weights: false }];
  const two = instance({
    name: 'VI_2',
    vrid: 52,
    addresses: [vip('10.0.0.101/24')],
    excluded: [vip('10.1.0.100/24', 'wan0')],
  });
  const shell = master([instance(), two], { groups });
  assert.equal(shell.held.length, 3);
  shell.hear(link(2, 'wan0', DOWN));
  assert.is(shell.status('VI_1').state, 'FAULT');
  assert.is(shell.status('VI_2').state, 'FAULT');
  assert.equal(shell.held, []);
  shell.hear(link(2, 'wan0')).until(20);
  assert.equal(shell.held.length, 3);
});

test('a reload moves an address from one router to another without taking it away', () => {
  const two = instance({ name: 'VI_2', vrid: 52, addresses: [vip('10.0.0.101/24')] });
  const shell = master([instance(), two]);
  const both = instance({ addresses: [vip(`${VIP}/24`), vip('10.0.0.101/24')] });
  shell.configure([both, { ...two, addresses: [vip('10.0.0.102/24')] }]).until(11);
  assert.equal(shell.taken(/^remove/), []);
  assert.equal(shell.held.sort(), [`${VIP}/24`, '10.0.0.101/24', '10.0.0.102/24']);
});

test('... whichever of the two is looked at first', () => {
  const two = instance({ name: 'VI_2', vrid: 52, addresses: [vip('10.0.0.101/24')] });
  const shell = master([instance(), two]);
  const other = [vip('10.0.0.103/24')];
  const both = { ...two, addresses: [vip('10.0.0.101/24'), vip(`${VIP}/24`)] };
  shell.configure([instance({ addresses: other }), both]).until(11);
  assert.equal(shell.taken(/^remove/), []);
});

test('a reload moves a route from one router to another without taking it away', () => {
  const plain = { table: 254, protocol: 18, scope: 0, type: 1, dev: 'eth0', tracked: true };
  const routes = [{ destination: prefix('192.0.2.0/24'), via: ip('10.0.0.1'), ...plain }];
  const two = instance({ name: 'VI_2', vrid: 52, addresses: [vip('10.0.0.101/24')] });
  const of = (name: string) => ({ routing: [{ instance: name, routes, rules: [] }] });
  const shell = master([instance(), two], of('VI_1'));
  shell.configure([instance(), two], of('VI_2')).until(11);
  assert.equal(shell.taken(/^remove|^add/), []);
  shell.configure([instance(), two]).until(12);
  assert.equal(shell.taken(/^remove|^add/), ['remove route 192.0.2.0/24 via 10.0.0.1 table 254']);
});

test('a protected router holds its addresses for as long as the votes last, and no longer', () => {
  const groups = [{ name: 'G', members: ['VI_1'], track: [], weights: true }];
  const settings = { ...NO_SETTINGS, instances: [instance()], groups };
  const shell = new Shell().event({ type: 'configure', settings, protected: true }).until(5);
  assert.equal(shell.held, [], 'no votes yet');
  shell.event({ type: 'voted', group: 'G', event: { type: 'authorised' }, until: at(8) });
  assert.equal(shell.held, [`${VIP}/24`]);
  // It advertises all the time, and is not told that the votes have ended.
  shell.until(7.9);
  assert.is(shell.status().state, 'MASTER');
  assert.equal(shell.held, []);
  shell.event({ type: 'voted', group: 'G', event: { type: 'authorised' }, until: at(20) }).until(9);
  assert.equal(shell.held, [`${VIP}/24`], 'they last longer: an advert puts it back');
});

test('a reload that takes a router out ends it, and nothing of it is left', () => {
  const two = instance({ name: 'VI_2', vrid: 52, addresses: [vip('10.0.0.101/24')] });
  const shell = master([instance(), two]);
  shell.configure([instance()]);
  assert.equal(shell.taken(/^sent 52|^remove|^told VI_2/), [
    'sent 52 0 to 224.0.0.18',
    'told VI_2 DELETED',
    'remove 10.0.0.101/24',
  ]);
  assert.is(shell.director.routers.size, 1);
});

test('routes that a reload exchanges are added before others go', () => {
  const plain = { table: 254, protocol: 18, scope: 0, type: 1, dev: 'eth0', tracked: true };
  const route = (to: string) => ({ destination: prefix(to), via: ip('10.0.0.1'), ...plain });
  const routing = (to: string) => [{ instance: 'VI_1', routes: [route(to)], rules: [] }];
  const shell = master([instance()], { routing: routing('192.0.2.0/24') });
  shell.configure([instance()], { routing: routing('198.51.100.0/24') });
  assert.equal(shell.taken(/route/), [
    'add route 198.51.100.0/24 via 10.0.0.1 table 254',
    'remove route 192.0.2.0/24 via 10.0.0.1 table 254',
  ]);
});

test('when something breaks while an advert is under way, the addresses go all the same', () => {
  const shell = master([instance()]);
  shell.answers = false;
  shell.until(11.5);
  shell.answers = true;
  shell.taken();
  shell.event({ type: 'resign' });
  assert.equal(shell.taken(/^sent|^remove/), ['sent 51 0 to 224.0.0.18', `remove ${VIP}/24`]);
});

test('news that were lost are read again', () => {
  const shell = master([instance()]);
  shell.links.set(1, link(1, 'eth0', DOWN));
  shell.event({
    type: 'read',
    links: [...shell.links.values()],
    addresses: shell.addresses.all(),
    why: 'lost',
  });
  assert.is(shell.status().state, 'FAULT');
  assert.equal(shell.held, []);
});

test('without release (-V) the addresses stay at the end', () => {
  const shell = master([instance({ lease: seconds(0) })], { release: false });
  shell.event({ type: 'stop' });
  assert.equal(shell.held, [`${VIP}/24`]);
});

test.run();
