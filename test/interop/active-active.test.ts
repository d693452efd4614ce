import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { AddressWatch } from '../lab/scene/address-watch.ts';
import { operator, shows, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * A pair that fences, with two virtual routers, each master of one. Adverts go over one link, heartbeats over both. The
 * power switch never works, and says so.
 */
await enclose();

const VIP = { A: '10.0.0.100', B: '10.0.0.101' } as const;
const PORT = { a: '1', b: '2' } as const;
type Name = keyof typeof PORT;
type Router = keyof typeof VIP;

const test = suite('a pair of masters that fences');
let scene: Scene;
let lan: Link;
let watch: AddressWatch;
let folder: string;
const hosts = {} as Record<Name, Host>;

const AGENT = `#!/bin/sh
while IFS='=' read -r name value; do case $name in action) action=$value ;; esac; done
case $action in
metadata)
  cat <<XML
<?xml version="1.0" ?>
<resource-agent name="fence_broken" shortdesc="a switch that is broken">
<parameters><parameter name="action" required="1"><content type="string" default="off" /></parameter></parameters>
<actions><action name="off" /><action name="status" /><action name="monitor" /><action name="metadata" /></actions>
</resource-agent>
XML
  exit 0 ;;
esac
echo "the switch is broken" >&2
exit 1
`;

const router = (name: Router, vrid: number, priority: number): string => `vrrp_instance ${name} {
  interface lan
  virtual_router_id ${vrid}
  version 3
  priority ${priority}
  advert_int 1
  on_fence_failure manual
  virtual_ipaddress {
    ${VIP[name]}/24
  }
}
`;
const configuration = (name: Name): string => `heartbeat {
  key_file ${join(folder, 'key')}
  director a 10.0.0.1 10.0.1.1
  director b 10.0.0.2 10.0.1.2
  name ${name}
  longest_promise 3
}
fence_device switch {
  agent ${join(folder, 'fence_broken')}
  target ${name === 'a' ? 'b' : 'a'}
  retries 0
}
${router('A', 51, name === 'a' ? 150 : 100)}${router('B', 52, name === 'b' ? 150 : 100)}`;

const start = (name: Name): void => void vipkeeper(hosts[name], configuration(name), '-P');
const held = (): string =>
  Object.entries(VIP)
    .map(
      ([name, vip]) =>
        `${name}:${Object.values(hosts).flatMap((host) => (host.has(vip) ? [host.name] : []))}`,
    )
    .join(' ');
const claimOf = async (name: Name, of: Router) =>
  (await statusOf(hosts[name]))?.vrrp?.votes?.claims.find((claim) => claim.name.endsWith(of));
const inVain = (name: Name, of: Router): Promise<number> =>
  scene.until(`${name} asks for ${of} in vain`, async () => ((await claimOf(name, of))?.vain ?? 0) > 4);

test.before(async () => {
  scene = new Scene();
  lan = scene.link('lan');
  const wire = scene.link('wire');
  for (const name of ['a', 'b'] as const)
    hosts[name] = scene.host(name).on(lan, `10.0.0.${PORT[name]}/24`).on(wire, `10.0.1.${PORT[name]}/24`);
  folder = join(scene.folder, 'fence');
  mkdirSync(folder);
  writeFileSync(join(folder, 'key'), 'a secret of these two\n', { mode: 0o600 });
  writeFileSync(join(folder, 'fence_broken'), AGENT);
  chmodSync(join(folder, 'fence_broken'), 0o755);
  watch = await AddressWatch.start(scene, Object.values(hosts));
});
test.after(() => {
  scene.close();
});
test.after.each(() => {
  for (const vip of Object.values(VIP))
    assert.is(watch.longestOverlap(vip).milliseconds, 0, `two directors had ${vip}`);
});

test('each is master of one', async () => {
  start('a');
  start('b');
  await scene.until('each holds its own', () => held() === 'A:a B:b');
});

test('adverts are lost, heartbeats are heard: each keeps its own, and nobody is shot', async () => {
  lan.part(Object.values(hosts), true);
  await inVain('a', 'B');
  await inVain('b', 'A');
  assert.is(held(), 'A:a B:b');
  assert.not.match(scene.logs(), /fencing [ab]:/);
  await shows(hosts.a, /the votes: asked for, \d+ times in vain: .*promised to b/, 'explain', 'B');
  await shows(hosts.a, /the votes: held: a: promised, b: promised/, 'explain', 'A');
});

test('one dies and cannot be switched off: the other waits for the operator, without another attempt', async () => {
  hosts.b.kill();
  await scene.until('it is said', () =>
    scene.logs().includes('on_fence_failure manual: waiting for vipkeeper fence confirm b'),
  );
  await scene.until('b has lost its address', () => held() === 'A:a B:' || held() === 'A:a B:b');
  assert.is(scene.logs().split('no fence device switched b off').length - 1, 1);
  ip('b', `address flush dev lan to ${VIP.B}`);
  operator(hosts.a, 'fence', 'confirm', 'b');
  await scene.until('a holds both', () => held() === 'A:a B:a');
});

test.run();
