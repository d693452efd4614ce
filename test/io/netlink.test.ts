import * as assert from 'uvu/assert';
import { ip, type Prefix, parsePrefix } from '../../src/core/ip.ts';
import {
  ADDRESS_FLAG,
  addAddress,
  deleteAddress,
  FOREVER,
  type InterfaceAddress,
} from '../../src/core/netlink/address.ts';
import type { RouteEvent } from '../../src/core/netlink/events.ts';
import { isUp } from '../../src/core/netlink/link.ts';
import type { Outcome } from '../../src/core/netlink/message.ts';
import { addRoute, deleteRoute, PROTOCOL_KEEPALIVED, type Route } from '../../src/core/netlink/route.ts';
import { addRule, deleteRule, type Rule } from '../../src/core/netlink/rule.ts';
import { explainOutcome, NETLINK, NetlinkError, NetlinkSocket } from '../../src/io/netlink.ts';
import { RouteMonitor, RouteSocket } from '../../src/io/route.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ifindexOf, ip as iproute } from './namespace.ts';

enterNamespace();
const netlink = suite('rtnetlink with the kernel');

const socket = new RouteSocket();
let e0 = 0;

netlink.before(() => {
  iproute('link add e0 type veth peer name e1');
  for (const name of ['e0', 'e1']) iproute(`link set ${name} up`);
  iproute('addr add 10.9.0.1/24 dev e0');
  e0 = ifindexOf('e0');
});

netlink.after(() => socket.close());

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

const address = (text: string, more: Partial<InterfaceAddress> = {}): InterfaceAddress => ({
  ifindex: e0,
  address: prefix(text),
  scope: 0,
  flags: text.includes(':') ? ADDRESS_FLAG.noDad : 0,
  valid: FOREVER,
  preferred: FOREVER,
  ...more,
});

const add = (text: string, more: Partial<InterfaceAddress> = {}): Outcome | undefined =>
  socket.apply([addAddress(address(text, more))])[0];
const shown = (text: string): InterfaceAddress | undefined =>
  socket.addresses().find(({ address: found }) => found.ip === prefix(text).ip);

/** A monitor that remembers; the test closes it. */
function listen(buffer?: number): { events: RouteEvent[]; resyncs: string[]; close(): void } {
  const monitor = new RouteMonitor({
    routes: true,
    rules: true,
    neighbours: true,
    ...(buffer !== undefined && { buffer }),
  });
  const heard = { events: [] as RouteEvent[], resyncs: [] as string[], close: () => monitor.close() };
  monitor.start({ event: (event) => heard.events.push(event), resync: (why) => heard.resyncs.push(why) });
  return heard;
}

netlink('a monitor is silent of what one socket asks for, and tells of all else', async () => {
  const quiet = new RouteSocket();
  const monitor = new RouteMonitor();
  const heard: string[] = [];
  monitor.ignore(quiet);
  monitor.start({
    event: (event) => {
      if (event.type === 'address') heard.push(`${event.address.address.ip} ${event.present}`);
    },
    resync: assert.unreachable,
  });
  const request = (text: string) => [addAddress(address(text, { valid: 60, preferred: 60 }), true)];
  assert.is(quiet.apply(request('10.9.7.1/32'))[0]?.errno, 0);
  assert.is(socket.apply(request('10.9.7.2/32'))[0]?.errno, 0);
  assert.is(quiet.apply(request('10.9.7.2/32'))[0]?.errno, 0);
  iproute('addr del 10.9.7.1/32 dev e0');
  iproute('addr del 10.9.7.2/32 dev e0');
  await eventually(() => (heard.length >= 3 ? true : undefined), 'what others did');
  assert.equal(heard, ['10.9.7.2 true', '10.9.7.1 false', '10.9.7.2 false']);
  monitor.close();
  quiet.close();
});

const isGone = (event: RouteEvent, text: string): boolean =>
  event.type === 'address' && !event.present && event.address.address.ip === prefix(text).ip;

netlink('interfaces', () => {
  const links = socket.links();
  const found = links.find(({ name }) => name === 'e0');
  assert.is(found?.ifindex, e0);
  assert.is(found?.kind, 'veth');
  assert.is(found?.mtu, 1500);
  assert.match(found?.mac ?? '', /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
  assert.is(found?.lower, ifindexOf('e1'));
  assert.ok(found !== undefined && isUp(found));
});

netlink('an address with all that it can have, as iproute2 shows it', () => {
  const broadcast = ip('10.9.0.255');
  assert.equal(add('10.9.0.101/32', { label: 'e0:v1', broadcast, scope: 253 }), { errno: 0 });
  assert.match(iproute('-4 addr show dev e0'), /inet 10\.9\.0\.101\/32 brd 10\.9\.0\.255 scope link e0:v1\n/);
  assert.equal(shown('10.9.0.101/32'), {
    ...address('10.9.0.101/32', { label: 'e0:v1', broadcast, scope: 253 }),
    flags: ADDRESS_FLAG.permanent,
  });
  assert.equal(add('2001:db8:9::1/128', { preferred: 0 }), { errno: 0 });
  assert.match(
    iproute('-6 addr show dev e0'),
    /2001:db8:9::1\/128 scope global (nodad deprecated|deprecated nodad)/,
  );
  assert.is(shown('2001:db8:9::1/128')?.preferred, 0);
});

netlink('refusals: the errno, and the kernel\u2019s own words', () => {
  assert.is(add('10.9.0.1/24')?.errno, 17);
  assert.is(add('10.9.0.2/24', { ifindex: 9999 })?.errno, 19);
  const [missing] = socket.apply([deleteAddress(e0, prefix('10.9.0.77/24'))]);
  assert.is(missing?.errno, 99);
  const tooLong = addAddress(address('10.9.0.3/32'));
  const body = tooLong.body.slice();
  body[1] = 33;
  const [refused] = socket.apply([{ ...tooLong, body }]);
  assert.is(explainOutcome(refused ?? { errno: 0 }), 'EINVAL (ipv4: Invalid prefix length)');
});

netlink('a batch: one outcome each, in order, and a failure stops nobody', () => {
  const texts = Array.from({ length: 500 }, (_, i) => `10.8.${i >> 8}.${i & 255}/32`);
  const requests = texts.map((text) => addAddress(address(text)));
  assert.equal(
    socket.apply(requests).map(({ errno }) => errno),
    texts.map(() => 0),
  );
  const again = socket.apply([
    ...requests.slice(0, 2),
    addAddress(address('10.8.9.9/32')),
    ...requests.slice(2),
  ]);
  assert.equal(
    again.flatMap(({ errno }, i) => (errno === 0 ? [i] : [])),
    [2],
  );
  const known = new Set(socket.addresses(4).map(({ address: { ip: found } }) => String(found)));
  assert.ok(texts.every((text) => known.has(text.slice(0, -3))));
  const removed = socket.apply([...texts, '10.8.9.9/32'].map((text) => deleteAddress(e0, prefix(text))));
  assert.ok(removed.every(({ errno }) => errno === 0));
});

netlink('routes and rules come and go, and are listed', () => {
  const route: Route = {
    destination: prefix('192.0.2.0/24'),
    via: ip('10.9.0.254'),
    ifindex: e0,
    source: ip('10.9.0.1'),
    metric: 50,
    table: 1000,
    protocol: PROTOCOL_KEEPALIVED,
    scope: 0,
    type: 1,
  };
  assert.equal(
    socket.apply([addRoute(route), addRoute(route), addRoute(route, 'replace')]).map((o) => o.errno),
    [0, 17, 0],
  );
  assert.match(
    iproute('route show table 1000'),
    /192\.0\.2\.0\/24 via 10\.9\.0\.254 dev e0 proto keepalived/,
  );
  const ours = (): Route[] => socket.routes().filter(({ table }) => table === 1000);
  assert.equal(ours(), [route]);
  assert.equal(
    socket.apply([deleteRoute(route), deleteRoute(route)]).map((o) => o.errno),
    [0, 3],
  );
  assert.equal(ours(), []);

  const rule: Rule = {
    family: 6,
    from: prefix('2001:db8::/32'),
    fwmark: 7,
    priority: 900,
    table: 1000,
    protocol: 18,
  };
  assert.equal(
    socket.apply([addRule(rule), addRule(rule)]).map((o) => o.errno),
    [0, 17],
  );
  assert.equal(
    socket.rules(6).filter(({ table }) => table === 1000),
    [rule],
  );
  assert.equal(
    socket.apply([deleteRule(rule), deleteRule(rule)]).map((o) => o.errno),
    [0, 2],
  );
});

netlink('neighbours', () => {
  iproute('neigh add 10.9.0.254 lladdr 02:00:00:00:00:09 dev e0 nud permanent');
  const found = socket.neighbours(4).find(({ address: { length } }) => length > 0);
  assert.equal(found, { ifindex: e0, address: ip('10.9.0.254'), mac: '02:00:00:00:00:09', state: 0x80 });
});

netlink('a dump that is refused says what was asked', () => {
  const generic = new NetlinkSocket(NETLINK.GENERIC, 'generic netlink');
  const error = (() => {
    try {
      return generic.dump({ type: 999, flags: 0, body: new Uint8Array(4), asked: 'list nothing' });
    } catch (reason) {
      return reason;
    }
  })();
  assert.instance(error, NetlinkError);
  assert.match(String(error), /list nothing: ENOENT/);
  // The socket is good for the next question.
  assert.is(generic.request([{ type: 999, flags: 0, body: new Uint8Array(4), asked: '' }])[0]?.errno, 2);
  generic.close();
});

netlink('the monitor hears addresses, links, routes, rules and neighbours', async () => {
  const heard = listen();
  add('10.9.0.120/24');
  iproute('link set e1 down');
  iproute('rule add fwmark 9 lookup 77');
  iproute('neigh del 10.9.0.254 dev e0');
  socket.apply([deleteAddress(e0, prefix('10.9.0.120/24'))]);
  const all = ['address', 'link', 'rule', 'neighbour', 'route'];
  await eventually(
    () => (all.every((type) => heard.events.some((event) => event.type === type)) ? true : undefined),
    'events of every kind',
  );
  await eventually(() => heard.events.find((event) => isGone(event, '10.9.0.120/24')), 'the address goes');
  const down = heard.events.find((event) => event.type === 'link' && event.link.name === 'e0');
  assert.ok(down?.type === 'link' && !isUp(down.link) && down.link.carrier === false);
  iproute('link set e1 up');
  iproute('rule del fwmark 9 lookup 77');
  assert.equal(heard.resyncs, []);
  heard.close();
});

netlink('events that do not fit in the queue are a reason to read again', async () => {
  const heard = listen(4096);
  const requests = Array.from({ length: 300 }, (_, i) => address(`10.7.0.${i % 250}/${25 + (i % 8)}`));
  socket.apply(requests.map((each) => addAddress(each)));
  await eventually(() => heard.resyncs[0], 'lost events');
  assert.match(heard.resyncs[0] ?? '', /ENOBUFS/);
  // It goes on hearing.
  heard.events.length = 0;
  add('10.9.0.130/24');
  await eventually(() => heard.events.find((event) => event.type === 'address'), 'the next event');
  heard.close();
  socket.apply(requests.map((each) => deleteAddress(e0, each.address)));
});

netlink('the kernel removes what is not renewed, IPv4 and IPv6, and keeps what is', async () => {
  const heard = listen();
  const short = { valid: 1, preferred: 1 };
  const long = { valid: 600, preferred: 600 };
  add('10.9.0.200/24', short);
  add('10.9.0.201/24', short);
  add('2001:db8:9::200/64', short);
  add('2001:db8:9::201/64', short);
  const renewed = socket.apply(
    ['10.9.0.201/24', '2001:db8:9::201/64'].map((text) => addAddress(address(text, long), true)),
  );
  assert.equal(
    renewed.map(({ errno }) => errno),
    [0, 0],
  );
  for (const text of ['10.9.0.200/24', '2001:db8:9::200/64']) {
    await eventually(() => heard.events.find((event) => isGone(event, text)), `${text} expires`);
    assert.is(shown(text), undefined);
  }
  for (const text of ['10.9.0.201/24', '2001:db8:9::201/64']) {
    const left = shown(text)?.valid ?? 0;
    assert.ok(left > 300 && left <= 600, `${text} has ${left} s`);
  }
  heard.close();
});

netlink('renewing puts back what is gone', () => {
  const leased = address('10.9.0.210/24', { valid: 600, preferred: 600 });
  assert.is(socket.apply([addAddress(leased, true)])[0]?.errno, 0);
  assert.ok(shown('10.9.0.210/24') !== undefined);
});

netlink.run();
