import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import type { Console } from './handbook/console.ts';
import { open } from './handbook/opening.ts';
import { vipkeeper } from './scene/director.ts';
import { inner, natStage, VIP } from './scene/stages.ts';
import { type Client, HTTP_PORT, realServer } from './scene/traffic.ts';

/**
 * What handbooks write a script for, that looks after the real servers: when both are dead the director serves the
 * page that says sorry itself, until one returns.
 */
export const needs = 'kernel';

const story = suite('health script, replaced');
const stage = natStage(2);
const { scene, director: host } = stage;
const [rs1, rs2] = stage.servers;
if (rs1 === undefined || rs2 === undefined) throw new Error('two real servers');
story.after(() => scene.close());
let client: Client;
let director: Console;
story.before(async () => {
  ({ client, console: director } = await open(stage));
  await realServer(host);
  await director.type(`ip address add ${VIP}/32 dev lan`);
  vipkeeper(host, CONFIGURATION);
});

const CONFIGURATION = `virtual_server ${VIP} ${HTTP_PORT} {
  delay_loop 1
  lb_algo rr
  lb_kind NAT
  protocol TCP
  sorry_server 127.0.0.1 ${HTTP_PORT}
  sorry_server_lvs_method DR
${[1, 2]
  .map(
    (n) => `  real_server ${inner(n)} ${HTTP_PORT} {
    TCP_CHECK {
      connect_timeout 2
      retry 0
    }
  }`,
  )
  .join('\n')}
}
`;

/** Waits until the table holds just these servers, and gives the pages that three users see. */
async function serving(...rows: string[]): Promise<string> {
  await director.shows(
    '-L -n',
    (all) => all.slice(4).map((row) => row.split(' ').slice(1, 4).join(' ')),
    rows,
  );
  const pages: string[] = [];
  for (let n = 0; n < 3; n++) pages.push(await client.get(`http://${VIP}:${HTTP_PORT}/`));
  return [...new Set(pages)].sort().join(' ');
}

const real = (n: number): string => `${inner(n)}:${HTTP_PORT} Masq 1`;
const SORRY = `127.0.0.1:${HTTP_PORT} Route 1`;

story('both serve; one dies; both are dead and the director says sorry; one returns', async () => {
  assert.is(await serving(real(1), real(2)), 'rs1 rs2');
  rs2.kill();
  assert.is(await serving(real(1)), 'rs1');
  rs1.kill();
  assert.is(await serving(SORRY), 'director');
  await realServer(rs2);
  assert.is(await serving(real(2)), 'rs2');
});

story.run();
