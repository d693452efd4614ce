import * as assert from 'uvu/assert';
import { shownOnFailure } from '../failure.ts';
import { suite } from '../suite.ts';
import { keepalived } from './scene/director.ts';
import { Scene } from './scene/scene.ts';

/**
 * The words that scenarios are made of, played with a pair of keepalived: adverts, capture, faults, waiting.
 */
export const needs = 'kernel';

const VIP = '10.0.0.100';
const story = suite('the words of a scene');
const scene = new Scene();
story.after(() => scene.close());

const lan = scene.link('lan');
const [a, b] = ['a', 'b'].map((name, i) =>
  scene.host(name).on(lan, `10.0.0.${i + 1}/24`, `fd00::${i + 1}/64`),
);
const user = scene.host('user').on(lan, '10.0.0.10/24');
if (a === undefined || b === undefined) throw new Error('no hosts');

const router = (priority: number): string => `vrrp_instance web {
  interface lan
  virtual_router_id 7
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${VIP}
  }
}`;

story('hosts reach each other over IPv4 and IPv6', async () => {
  await scene.until('a reaches b by IPv4', () => a.reaches('10.0.0.2'));
  await scene.until('a reaches b by IPv6', () => a.reaches('fd00::2'));
  assert.not.ok(a.reaches('10.0.0.77'), 'nobody is there');
});

story('a capture shows the election, by tshark', async () => {
  const capture = await lan.capture();
  keepalived(a, router(200));
  keepalived(b, router(100));
  await scene.until('a holds the VIP', () => a.has(VIP));
  await scene.until('the user reaches it', () => user.succeeds('ping', '-c', '1', '-W', '1', VIP));
  await capture.stop();
  const adverts = capture.fields('vrrp', 'ip.src', 'vrrp.prio');
  assert.ok(adverts.some(([source, priority]) => source === '10.0.0.1' && priority === '200'));
  assert.ok(capture.count(`arp.src.proto_ipv4 == ${VIP}`) > 0, 'gratuitous ARP');
  assert.is(capture.count('_ws.malformed'), 0);
  assert.not.ok(b.has(VIP));
});

story(
  'a frozen master loses its place, and has the VIP still: nobody takes it from a frozen keepalived',
  async () => {
    a.freeze();
    await scene.until('b holds the VIP', () => b.has(VIP));
    assert.ok(a.has(VIP));
    a.thaw();
    await scene.until('b gave it back', () => !b.has(VIP));
  },
);

story('a cut cable takes the carrier away, until it is mended', async () => {
  const carrier = (): boolean => b.run('cat', '/sys/class/net/lan/carrier').trim() === '1';
  lan.cut(b);
  await scene.until('b has no carrier', () => !carrier());
  lan.mend(b);
  await scene.until('b has a carrier', carrier);
});

story('deaf to its peer, the backup is a second master, until it hears again', async () => {
  lan.impair(b, 'loss 100%');
  await scene.until('b hears nothing and takes over', () => b.has(VIP));
  assert.ok(a.has(VIP));
  lan.impair(b, '');
  await scene.until('b hears a again', () => !b.has(VIP));
});

story('a killed host has no process left', async () => {
  a.kill('SIGKILL');
  await scene.until('a is dead', () => a.processes().length === 0);
  await scene.until('b holds the VIP', () => b.has(VIP));
});

story('a wait in vain says what for, and shows the logs', async () => {
  let said = '';
  await scene
    .until('the moon', () => false, 0.2)
    .catch((error: Error) => {
      said = error.message;
    });
  assert.match(said, /not within 0\.2 s .*: the moon/);
  const logs = shownOnFailure();
  assert.match(logs, '--- b: keepalived (running)');
  assert.match(logs, 'MASTER STATE');
});

story.run();
