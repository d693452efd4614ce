import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { statusOf } from './scene/director.ts';
import { Failover } from './scene/failover.ts';
import type { Host } from './scene/host.ts';
import { VIP } from './scene/pair.ts';

/**
 * One process of the master is stopped, or killed: only without VRRP's does the VIP move; the others come back,
 * adopt what they find, and cut no connection.
 */
export const needs = 'kernel';
export const limitSeconds = 1200;

const CONNECTIONS = 20;
const OVERLAP_RENEWALS = 1;
/** So many renewals of the VIP, one with each advert, show that VRRP goes on. */
const RENEWALS = 4;
/** As many last longer than the supervisor's patience with a silent child. */
const MANY_RENEWALS = 12;

const story = suite('freezes and crashes of one process of the master');
let act: Failover;
let one: Host;
let two: Host;
story.before(async () => {
  act = await Failover.stage({ method: 'NAT' });
  [one, two] = act.pair.directors;
});
story.after(() => act.close());

type Name = 'supervisor' | 'vrrp' | 'check' | 'sync';

/** The process id of a process of the master's daemon, as it tells itself. */
async function pidOf(name: Name): Promise<number | undefined> {
  const status = await statusOf(one);
  if (name === 'supervisor') return status?.pid;
  return status?.processes.find(({ role }) => role === name)?.pid;
}

/** Sends a signal to one process and gives its id. */
async function signal(name: Name, what: NodeJS.Signals): Promise<number> {
  const pid = await pidOf(name);
  assert.ok(pid !== undefined, `no ${name} process`);
  process.kill(pid, what);
  return pid;
}

/** The process has a successor that reports its work. */
async function replaced(name: 'vrrp' | 'check' | 'sync', old: number): Promise<void> {
  await act.until(`the ${name} process has a successor`, async () => {
    const pid = await pidOf(name);
    return pid !== undefined && pid !== old && (await statusOf(one))?.[name] !== null;
  });
}

/** The master's IPVS table and sync daemon, as the kernel has them. */
const kernelState = (): string => one.run('ipvsadm', '-Sn') + one.run('ipvsadm', '-Ln', '--daemon');

story('the first director serves', async () => {
  await act.elect();
  await act.connect(CONNECTIONS);
  await act.allKnownTo(two);
});

story('vrrp frozen: the VIP goes; when it goes on it preempts', async () => {
  const since = act.now();
  await act.measure();
  const pid = await signal('vrrp', 'SIGSTOP');
  await act.vipGoesByItself('vrrp frozen', since, one, two);
  await act.allLive('vrrp frozen');
  process.kill(pid, 'SIGCONT');
  await act.masterIs(one);
  await act.allLive('vrrp thawed');
});

story('vrrp killed: the VIP goes; the supervisor starts it again and it preempts', async () => {
  const since = act.now();
  await act.measure();
  const pid = await signal('vrrp', 'SIGKILL');
  await act.vipGoesByItself('vrrp killed', since, one, two);
  await replaced('vrrp', pid);
  await act.masterIs(one);
  await act.allLive('vrrp killed and started again');
});

story('check and sync killed: nothing moves, the table stays, both come back', async () => {
  const [since, before] = [act.now(), kernelState()];
  await act.measure();
  const [check, sync] = [await signal('check', 'SIGKILL'), await signal('sync', 'SIGKILL')];
  assert.is(kernelState(), before);
  await replaced('check', check);
  await replaced('sync', sync);
  await act.nothingMoves(since, one, RENEWALS);
  assert.is(kernelState(), before);
  await act.allLive('check and sync killed');
});

story('all three frozen for good, one after the other: the supervisor replaces each', async () => {
  const before = kernelState();
  await act.measure();
  const since = act.now();
  const [check, sync] = [await signal('check', 'SIGSTOP'), await signal('sync', 'SIGSTOP')];
  await replaced('check', check);
  await replaced('sync', sync);
  await act.nothingMoves(since, one, RENEWALS);
  assert.is(kernelState(), before);
  await act.allLive('check and sync frozen');
  await replaced('vrrp', await signal('vrrp', 'SIGSTOP'));
  await act.masterIs(one);
  await act.allLive('vrrp frozen and replaced');
});

story('the supervisor frozen: nothing moves, and no child is blamed for it', async () => {
  const [since, before] = [act.now(), one.processes()];
  await act.measure();
  const pid = await signal('supervisor', 'SIGSTOP');
  await act.nothingMoves(since, one, MANY_RENEWALS);
  process.kill(pid, 'SIGCONT');
  await act.until('it answers again', async () => (await statusOf(one)) !== undefined);
  await act.nothingMoves(act.now(), one, RENEWALS);
  assert.equal(one.processes(), before);
  await act.allLive('supervisor frozen');
});

story(
  'the supervisor killed: nothing moves; the next one goes on with VRRP and ends the other orphans',
  async () => {
    const [since, before, vrrp] = [act.now(), kernelState(), await pidOf('vrrp')];
    await act.measure();
    await signal('supervisor', 'SIGKILL');
    await act.nothingMoves(since, one, RENEWALS);
    const orphans = one.processes();
    assert.is(orphans.length, 3);
    act.pair.start(one);
    await act.until('but for VRRP the orphans are gone', () => {
      const left = one.processes().filter((pid) => orphans.includes(pid));
      return left.length === 1 && left[0] === vrrp;
    });
    await act.until('its sync daemon and its table are as before', () => kernelState() === before);
    await act.until('it answers', async () => (await pidOf('vrrp')) === vrrp);
    await act.nothingMoves(since, one, MANY_RENEWALS);
    assert.is(one.processes().length, 4);
    await act.allLive('supervisor killed and started again');
  },
);

story('two directors never shared the VIP for longer than an advert takes', () => {
  const { milliseconds, renewals } = act.watch.longestOverlap(VIP);
  console.log(`  longest time with two holders: ${milliseconds} ms, ${renewals} renewals by the former`);
  assert.ok(renewals <= OVERLAP_RENEWALS, `the former holder renewed its lease ${renewals} times`);
});

story.run();
