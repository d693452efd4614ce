import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { Console } from './handbook/console.ts';
import { open } from './handbook/opening.ts';
import { statusOf, vipkeeper } from './scene/director.ts';
import type { Host } from './scene/host.ts';
import { drStage, outer } from './scene/stages.ts';
import { type Call, type Client, ECHO_PORT } from './scene/traffic.ts';

/**
 * A handbook's active-active pair: each director has a VIP and stands by for the other's; both send and take
 * connections. When one dies the other has both VIPs, and no connection breaks.
 */
export const needs = 'kernel';

const VIPS = ['10.0.0.100', '10.0.0.101'] as const;
/** Waits for elections are long where the machine is busy. */
const LONG = 60;

const story = suite('active-active');
const stage = drStage(2);
const { scene, lan, user } = stage;
story.after(() => scene.close());
const one = stage.director;
const two = scene.host('two').on(lan, '10.0.0.3/24');
const directors = [one, two];
let client: Client;
const calls: Call[] = [];

/** The configuration of the director that prefers this VIP. */
const configuration = (preferred: number): string =>
  VIPS.map(
    (vip, n) => `
vrrp_instance VI_${n} {
  interface lan
  virtual_router_id ${50 + n}
  priority ${n === preferred ? 150 : 100}
  advert_int 1
  virtual_ipaddress {
    ${vip}/32
  }
}
virtual_server ${vip} ${ECHO_PORT} {
  delay_loop 1
  lb_algo rr
  lb_kind DR
  protocol TCP
${[1, 2].map((server) => `  real_server ${outer(server)} ${ECHO_PORT} {\n  }`).join('\n')}
}
`,
  ).join('\n');

/** The VIPs that a director holds, as it says and as its kernel has it. */
async function vipsOf(director: Host): Promise<string> {
  const instances = (await statusOf(director))?.vrrp?.instances ?? [];
  return VIPS.filter((vip, n) => instances[n]?.state === 'MASTER' && director.has(vip)).join(' ');
}

story.before(async () => {
  for (const server of stage.servers) for (const vip of VIPS) server.holdsQuietly(vip);
  let console: Console;
  ({ client, console } = await open(stage));
  for (const director of [console, await Console.at(two)]) {
    await director.type(`
      lvsadm --start-daemon master --mcast-interface lan
      lvsadm --start-daemon backup --mcast-interface lan
    `);
    assert.is((await director.list('-L --daemon')).length, 2);
  }
});

story('each director serves its own VIP', async () => {
  for (const [n, director] of directors.entries()) vipkeeper(director, configuration(n));
  for (const [n, director] of directors.entries())
    await scene.until(`${director.name} has its VIP`, async () => (await vipsOf(director)) === VIPS[n], LONG);
  for (const vip of VIPS) for (let n = 0; n < 2; n++) calls.push(await client.dial(vip, ECHO_PORT));
  assert.equal(
    calls.map(({ server }) => server),
    ['rs2', 'rs1', 'rs2', 'rs1'],
  );
  // The kernel tells the other director of a connection at its third packet, of one that lasts.
  for (const call of calls) for (const text of ['one', 'two', 'three']) assert.is(await call.say(text), text);
  const known = (director: Host): number => director.run('ipvsadm', '-Lnc').split('ESTABLISHED').length - 1;
  for (const director of directors)
    await scene.until(`${director.name} knows all connections`, () => known(director) === calls.length);
});

story('one dies: the other has both VIPs, and every connection goes on', async () => {
  one.kill('SIGKILL');
  lan.cut(one);
  await scene.until('the other has both', async () => (await vipsOf(two)) === VIPS.join(' '), LONG);
  for (const call of calls) assert.is(await call.say('still there'), 'still there');
  assert.ok(
    !user.run('ip', 'neigh', 'show', VIPS[0]).includes(one.run('cat', '/sys/class/net/lan/address').trim()),
  );
});

story.run();
