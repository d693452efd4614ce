import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { statusOf } from './director.ts';
import { Failover } from './failover.ts';
import type { Host } from './host.ts';
import type { Program } from './program.ts';

const CONNECTIONS = 200;

/** Runs the story of 200 connections that no change of the director breaks. */
export function playFailover(method: 'NAT' | 'DR'): void {
  const story = suite(`failover by ${method}`);
  let act: Failover;
  let one: Host;
  let two: Host;
  let daemon: Program;
  story.before(async () => {
    act = await Failover.stage({ method });
    [one, two] = act.pair.directors;
  });
  story.after(() => act.close());

  story('the preferred director becomes master, and the other learns its connections', async () => {
    daemon = await act.elect();
    await act.connect(CONNECTIONS);
    await act.allKnownTo(two);
    await act.measure();
    await act.allLive('election');
  });

  story('an operator takes the master out, and lets it take over again', async () => {
    await act.measure();
    await act.maintenance(one, true);
    await act.masterIs(two);
    await act.allLive('maintenance on');
    await act.measure();
    await act.maintenance(one, false);
    await act.masterIs(one);
    await act.allLive('maintenance off, preemption');
  });

  story('the master stops, and preempts when it is started again', async () => {
    await act.measure();
    assert.is(await daemon.stop(), 'exit status 0');
    assert.equal(one.processes(), []);
    await act.until(`the VIP is on ${two.name} alone`, () => act.holds(two) && !act.holds(one));
    await act.allLive('stop');
    await act.measure();
    act.pair.start(one);
    await act.masterIs(one);
    await act.allLive('start, preemption');
  });

  story('the master loses power', async () => {
    const since = act.now();
    await act.measure();
    one.kill('SIGKILL');
    for (const link of act.pair.links) link.cut(one);
    await act.vipGoesByItself('power loss', since, one, two);
    await act.allLive('power loss');
  });

  story('it returns with an empty memory, learns the connections, and preempts', async () => {
    await forgetConnections(act, one);
    act.pair.start(one);
    await act.until('its daemon answers', async () => (await statusOf(one))?.vrrp?.instances.length === 1);
    await act.maintenance(one, true);
    for (const link of act.pair.links) link.mend(one);
    await act.allKnownTo(one);
    await act.measure();
    await act.maintenance(one, false);
    await act.masterIs(one);
    await act.allLive('return, preemption');
  });

  story.run();
}

/** What a loss of power does to a kernel's table: no service is left, and no connection. */
export async function forgetConnections(act: Failover, director: Host): Promise<void> {
  director.sysctl({ 'net.ipv4.vs.expire_nodest_conn': 1 });
  director.run('ipvsadm', '-C');
  const known = (): boolean => director.run('ipvsadm', '-Lnc').includes('ESTABLISHED');
  await act.until(`${director.name} knows no connection`, () => !known());
  director.sysctl({ 'net.ipv4.vs.expire_nodest_conn': 0 });
}
