import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { vipkeeper } from '../lab/scene/director.ts';
import { Scene } from '../lab/scene/scene.ts';
import { Watcher } from '../lab/scene/watcher.ts';
import { suite } from '../suite.ts';

/** A `garp_group`: the gaps between announcements on the wire. keepalived 2.2.7 drops some of what it has queued. */
await enclose();

const GAP = 0.2;
const VIPS = ['10.0.0.101', '10.0.0.102', '10.0.0.103'];
const REPEAT = 3;
const ALL = VIPS.length * REPEAT;
const CONFIGURATION = `garp_group {
  garp_interval ${GAP}
  interfaces {
    lan
  }
}
vrrp_instance pair {
  state BACKUP
  interface lan
  virtual_router_id 7
  version 3
  priority 150
  advert_int 0.2
  garp_master_repeat ${REPEAT}
  garp_master_delay 0
  virtual_ipaddress {
    ${VIPS.map((vip) => `${vip}/24`).join('\n    ')}
  }
}
`;
const test = suite('gaps between announcements');
let scene: Scene | undefined;
test.after(() => scene?.close());

test('each address as often as configured, never closer than the gap', async () => {
  const stage = new Scene();
  scene = stage;
  const lan = stage.link('lan');
  const host = stage.host('director').on(lan, '10.0.0.1/24');
  const watcher = await Watcher.start(stage.host('eye').on(lan), '');
  const capture = await lan.capture();
  vipkeeper(host, CONFIGURATION, '-P');
  await stage.until('it is master', () => VIPS.every((vip) => host.has(vip)));
  const seen = async () => await watcher.observations();
  await stage.until('all are announced', async () => (await seen()).announcements.length >= ALL);
  // It goes on for a while, in which nothing more is announced.
  const { adverts } = await seen();
  await stage.until('more adverts', async () => (await seen()).adverts.length >= adverts.length + 5);
  await capture.stop();
  const rows = capture.fields('arp.isgratuitous', 'frame.time_epoch', 'arp.src.proto_ipv4');
  const counts = VIPS.map((vip) => rows.filter(([, address]) => address === vip).length);
  assert.equal(
    counts,
    VIPS.map(() => REPEAT),
  );
  const times = rows.map(([time]) => Number(time));
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  // A gap is never shorter; the sender and the recorder only read different clocks.
  assert.ok(Math.min(...gaps) > GAP - 0.005, gaps.join(' '));
});

test.run();
