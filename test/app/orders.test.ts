import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Orders } from '../../src/app/supervisor/orders.ts';
import type { Order } from '../../src/core/balance/orders.ts';
import type { RealServerSettings, VirtualServerSettings } from '../../src/core/serving/settings.ts';
import { seconds } from '../../src/core/time.ts';
import { KeptFiles } from '../../src/io/kept.ts';
import { Store } from '../../src/io/store.ts';
import { realServer, virtualServer } from '../core/serving/balancer-world.ts';
import { eventually } from '../io/namespace.ts';
import { suite } from '../suite.ts';

/** What the supervisor makes of the operator's words and the calendar, with the real store. */
const test = suite('orders of operator and schedule');

const SERVICE = 'tcp 10.0.0.1:80';
const [FIRST, SECOND] = ['10.0.1.1:80', '10.0.1.2:80'] as const;
let folder: string;
let sent: (readonly Order[])[];
let said: string[];
let opened: Orders[];
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
  [sent, said, opened] = [[], [], []];
});
test.after.each(() => {
  for (const orders of opened) orders.close();
  rmSync(folder, { recursive: true });
});

/** A supervisor that starts with these settings. */
function start(...virtualServers: VirtualServerSettings[]): Orders {
  const store = new Store(folder, new KeptFiles((_level, message) => said.push(message)), (message) =>
    said.push(message),
  );
  const orders = new Orders(
    store,
    (message) => message.type === 'orders' && sent.push(message.orders),
    (_level, message) => said.push(message),
  );
  orders.configure(virtualServers);
  opened.push(orders);
  return orders;
}
const two = (more: Partial<RealServerSettings> = {}): VirtualServerSettings =>
  virtualServer([realServer(1), realServer(2, more)]);
const place = (server: string) => ({ service: SERVICE, server });

test('a decision is sent, kept, and there again after a restart', () => {
  const orders = start(two());
  const [answer] = orders.answer({ verb: 'drain', server: FIRST, timeout: 60_000 }).servers;
  assert.is(answer?.changed, true);
  orders.answer({ verb: 'weight', server: '10.0.1.2', weight: 5 });
  assert.equal(sent.at(-1), orders.all());
  const [drained, weighed] = start(two()).all();
  assert.equal([drained?.server, drained?.drain?.by], [FIRST, 'operator']);
  assert.ok(drained?.drain?.until !== undefined);
  assert.equal(weighed, { ...place(SECOND), weight: 5 });
});

test('the last server that serves is taken out with force only, be it by a drain or by weight 0', () => {
  const orders = start(two());
  const state = (...up: string[]) => ({
    name: SERVICE,
    servers: [FIRST, SECOND].map((name) => ({
      ...{ name, up: up.includes(name), kept: false, weight: 1, cause: '' },
    })),
  });
  const ask = (
    verb: 'drain' | 'weight',
    server: string,
    services: Parameters<Orders['answer']>[1],
    force = false,
  ) => orders.answer({ ...(verb === 'drain' ? { verb } : { verb, weight: 0 }), server, force }, services);
  const last = new RegExp(`^Error: ${FIRST} is the last real server of ${SERVICE} that serves.*: --force`);
  assert.throws(
    () => ask('drain', FIRST, [state(FIRST)]),
    (error: Error) => last.test(String(error)),
  );
  assert.throws(
    () => ask('weight', FIRST, [state(FIRST)]),
    (error: Error) => last.test(String(error)),
  );
  assert.equal(orders.all(), [], 'nothing was decided');
  assert.is(ask('drain', SECOND, [state(FIRST)]).servers.length, 1, 'one that is down takes nothing away');
  assert.throws(
    () => ask('drain', FIRST, [state(FIRST, SECOND)]),
    /last real server/,
    'the other one is drained',
  );
  orders.answer({ verb: 'undrain', server: SECOND });
  assert.is(ask('drain', FIRST, [state()]).servers.length, 1, 'where none serves there is nothing to lose');
  orders.answer({ verb: 'undrain', server: FIRST });
  assert.is(ask('drain', FIRST, [state(FIRST)], true).servers[0]?.changed, true);
});

test('the deadline is the same moment each time, however often it is told', () => {
  const orders = start(two());
  orders.answer({ verb: 'drain', server: FIRST, timeout: 60_000 });
  assert.equal(orders.all(), orders.all());
});

test('taking back leaves the other decision; what was not decided is not changed', () => {
  const orders = start(two());
  orders.answer({ verb: 'weight', server: FIRST, weight: 5 });
  orders.answer({ verb: 'drain', server: FIRST });
  assert.equal(orders.answer({ verb: 'undrain', server: FIRST }).servers, [
    { ...place(FIRST), changed: true, order: { ...place(FIRST), weight: 5 } },
  ]);
  assert.equal(orders.answer({ verb: 'undrain', server: SECOND }).servers, [
    { ...place(SECOND), changed: false },
  ]);
  orders.answer({ verb: 'weight', server: FIRST, weight: null });
  assert.equal(orders.all(), []);
});

test('a reload without the server forgets its decision, and says so', () => {
  const orders = start(two());
  orders.answer({ verb: 'drain', server: SECOND });
  orders.configure([virtualServer([realServer(1)])]);
  assert.equal(said, [`${SERVICE} has no real server ${SECOND} any more: its drain is forgotten`]);
  orders.configure([two()]);
  assert.equal(orders.all(), []);
});

test('a window that is open at the start is entered; its drain goes before the weight of an operator', () => {
  const window = { cron: '* * * * *', length: seconds(600) };
  const orders = start(two({ maintenance: [window] }));
  assert.equal(orders.all(), [{ ...place(SECOND), drain: { by: 'schedule' } }]);
  const [weighed] = orders.answer({ verb: 'weight', server: SECOND, weight: 5 }).servers;
  assert.equal(weighed?.order, { ...place(SECOND), drain: { by: 'schedule' }, weight: 5 });
  orders.configure([two({ maintenance: [{ ...window, weight: 3 }] })]);
  assert.equal(orders.all(), [{ ...place(SECOND), weight: 5, limit: 3 }]);
  orders.configure([two()]);
  assert.equal(orders.all(), [{ ...place(SECOND), weight: 5 }]);
});

test('windows open and close by themselves', async () => {
  start(two({ maintenance: [{ cron: '*/3 * * * * *', length: seconds(1) }] }));
  const drains = (orders: readonly Order[]): boolean => orders.some(({ drain }) => drain?.by === 'schedule');
  await eventually(
    () => (sent.some(drains) && sent.some((orders) => !drains(orders)) ? true : undefined),
    'both',
  );
  assert.ok(said.some((line) => line.startsWith('maintenance "*/3 * * * * *" 1s begins: until ')));
  assert.ok(said.includes('maintenance "*/3 * * * * *" 1s is over'));
});

test('nonsense is refused, and changes nothing', () => {
  const orders = start(two());
  const wrong = [{ weight: -1 }, { weight: 1.5 }, { weight: 2 ** 31 }, { weight: '5' }, {}];
  for (const each of wrong)
    assert.throws(
      () => orders.answer({ verb: 'weight', server: FIRST, ...each } as never),
      /a weight is a whole number/,
    );
  for (const timeout of [-1, Number.NaN, 'soon', 2 ** 60])
    assert.throws(() => orders.answer({ verb: 'drain', server: FIRST, timeout } as never), /no such time/);
  for (const server of [undefined, null, 7, {}])
    assert.throws(() => orders.answer({ verb: 'drain', server } as never), /which real server/);
  assert.throws(() => orders.answer({ verb: 'drain', server: FIRST, service: 7 } as never), /virtual server/);
  assert.equal([orders.all(), sent], [[], []]);
});

test.run();
