import * as assert from 'uvu/assert';
import { type VrrpNews, type VrrpState, withNews } from '../../src/app/messages.ts';
import { Reporter } from '../../src/app/vrrp/reporter.ts';
import { millis } from '../../src/core/time.ts';
import { VrrpInstance } from '../../src/core/vrrp/instance.ts';
import { SETTINGS } from '../core/vrrp/router.ts';
import { suite } from '../suite.ts';

/** How the supervisor learns of many virtual routers without a message that holds them up. */
class Listed {
  readonly settings: { readonly name: string };
  readonly #machine: VrrpInstance;
  asked = 0;

  constructor(name: string) {
    this.settings = { name };
    this.#machine = new VrrpInstance({ ...SETTINGS, name });
  }

  status() {
    this.asked += 1;
    return this.#machine.status();
  }
}

const names = Array.from({ length: 100 }, (_, i) => `router${i}`);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** `reads`: whether the other end takes what it is told. */
function reporting(reads = () => true) {
  const routers = new Map(names.map((name) => [name, new Listed(name)]));
  const news: VrrpNews[] = [];
  const rest = () => ({
    bfd: [],
    groups: [],
    bfdDiscarded: {} as VrrpNews['bfdDiscarded'],
    malformed: 0,
    unknownVrids: 0,
  });
  const send = (one: VrrpNews): boolean => {
    if (reads()) news.push(one);
    return reads();
  };
  return { routers, news, reporter: new Reporter(routers, rest, send) };
}
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

const known = (news: readonly VrrpNews[]): string[] =>
  news.reduce<VrrpState | undefined>(withNews, undefined)?.instances.map(({ name }) => name) ?? [];

const test = suite('reports of virtual routers');

test('those that change in one turn are told once, and nobody else is asked', async () => {
  const { routers, news, reporter } = reporting();
  for (const name of ['router3', 'router1', 'router3']) reporter.changed(routers.get(name));
  await turn();
  assert.equal(
    news.map(({ instances }) => instances.map(({ name }) => name)),
    [['router3', 'router1']],
  );
  assert.equal(
    [...routers.values()].filter(({ asked }) => asked > 0).map(({ settings }) => settings.name),
    ['router1', 'router3'],
  );
});

test('all are told again and again, few at a time', async () => {
  const { news, reporter } = reporting();
  const stop = reporter.begin(millis(5));
  while (known(news).length < names.length) await pause();
  stop();
  assert.equal(known(news), names);
  assert.ok(news.every(({ instances }) => instances.length <= 16));
});

test('what was not taken is told again, before what did not change', async () => {
  let reads = false;
  const { routers, news, reporter } = reporting(() => reads);
  const lost = names.slice(50, 70);
  for (const name of lost) reporter.changed(routers.get(name));
  await turn();
  reads = true;
  const stop = reporter.begin(millis(5));
  while (news.length < 2) await pause();
  stop();
  const told = news.slice(0, 2).flatMap(({ instances }) => instances.map(({ name }) => name));
  assert.equal(told, lost);
});

test('one that is gone is forgotten, the latest word of the others counts', async () => {
  const { routers, news, reporter } = reporting();
  reporter.all();
  routers.delete('router7');
  reporter.changed();
  await turn();
  assert.equal(
    known(news),
    names.filter((name) => name !== 'router7'),
  );
});

test.run();
