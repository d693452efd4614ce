import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { operator } from './scene/director.ts';
import { Failover } from './scene/failover.ts';
import type { Host } from './scene/host.ts';

/**
 * `takeover_policy`: the directors do not hear each other on the clients' side any more, and nobody answers their ARP
 * questions. But connection sync goes on over the real servers' link: the master serves, and is left alone.
 */
export const needs = 'kernel';

const CONNECTIONS = 20;

interface Neighbour {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
}

const story = suite('connection sync as evidence');
let act: Failover;
let one: Host;
let two: Host;
story.before(async () => {
  act = await Failover.stage({ method: 'NAT', router: 'takeover_policy evidence' });
  [one, two] = act.pair.directors;
});
story.after(() => act.close());

/** Clients reach both directors, and these do not reach each other. */
const part = (apart: boolean): void => act.pair.lan.part([one, two], apart);
/** Who is known stays known, without a question. */
function keepNeighbours(host: Host): void {
  for (const { dst, lladdr, dev } of JSON.parse(host.run('ip', '-4', '-j', 'neigh')) as Neighbour[])
    if (lladdr !== undefined)
      host.run('ip', 'neigh', 'replace', dst, 'lladdr', lladdr, 'dev', dev, 'nud', 'permanent');
}
const explained = (): string => operator(two, 'explain', 'VI_1');

story('a pair under traffic', async () => {
  await act.elect();
  for (const host of [one, two]) host.run('sysctl', '-qw', 'net.ipv4.vs.sync_threshold=0 1');
  await act.connect(CONNECTIONS);
  await act.allKnownTo(two);
});

story(
  'whose connections are synchronised still is not replaced, though no advert and no answer comes',
  async () => {
    for (const host of [...act.pair.servers, act.pair.user]) keepNeighbours(host);
    one.run('sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=8');
    part(true);
    await act.until('the backup has judged', () => explained().includes('connection sync'));
    const told = explained();
    console.log(told.trimEnd());
    assert.match(told, /192\.168\.1\.1 still sends connection sync: connections are served there/);
    assert.match(told, /connection sync +comes from 192\.168\.1\.1/);
    assert.ok(act.holds(one));
    assert.not.ok(act.holds(two));
    await act.allLive('while the directors were apart');
  },
);

story('killed, the master sends none any more, and is replaced', async () => {
  one.kill('SIGKILL');
  await act.until('the backup takes over', () => act.holds(two));
  console.log(explained().trimEnd());
  part(false);
});

story.run();
