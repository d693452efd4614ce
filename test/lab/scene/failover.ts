import type { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from './host.ts';
import { buildPair, type Pair, stateOf, VIP } from './pair.ts';
import { Scene } from './scene.ts';
import { Client, HTTP_PORT, realServer } from './traffic.ts';

const CONNECTIONS = 200;
/** Generous, as all limits of waits: a busy machine boots a daemon in ten seconds. */
const LONG = 60;

type Story = ReturnType<typeof suite>;

/** A pair of directors under live traffic, for the story of its failovers. */
class Failover {
  readonly scene = new Scene();
  readonly pair: Pair;
  #client: Client | undefined;

  constructor(method: 'NAT' | 'DR') {
    this.pair = buildPair(this.scene, { method });
  }

  masterIs(director: Host): Promise<number> {
    const isMaster = (): boolean => stateOf(director) === 'MASTER' && director.has(VIP);
    return this.scene.until(`${director.name} is master`, isMaster, LONG);
  }

  vipLeaves(director: Host): Promise<number> {
    return this.scene.until(`the VIP has left ${director.name}`, () => !director.has(VIP), LONG);
  }

  /** Starts everything, and connects the client. */
  async begin(): Promise<void> {
    const { directors, servers, user, start } = this.pair;
    for (const server of servers) await realServer(server);
    for (const director of directors) start(director);
    await this.masterIs(directors[0]);
    const client = await Client.start(user);
    const page = async (): Promise<boolean> =>
      (await client.get(`http://${VIP}:${HTTP_PORT}/`)).startsWith('rs');
    await this.scene.until('a page comes', page);
    const { open, servers: shares } = await client.open(CONNECTIONS, VIP);
    assert.equal([open, shares], [CONNECTIONS, { rs1: CONNECTIONS / 2, rs2: CONNECTIONS / 2 }]);
    this.#client = client;
  }

  /** Whatever happened: every connection lives, and no byte was wrong. */
  async allLive(): Promise<void> {
    assert.ok(this.#client);
    const { open, broken, corrupt } = await this.#client.everyConnectionAnswers(LONG);
    assert.equal({ open, broken, corrupt }, { open: CONNECTIONS, broken: 0, corrupt: 0 });
  }

  /** Waits until a director's kernel knows all connections, its own or learned from the other one. */
  allKnownTo(director: Host): Promise<number> {
    const known = (): number => director.run('ipvsadm', '-Lnc').match(/ESTABLISHED/g)?.length ?? 0;
    return this.scene.until(`${director.name} knows all connections`, () => known() >= CONNECTIONS, LONG);
  }
}

/** Adds the acts to a story: election, a crash, the return, a freeze, the thaw, a clean stop. */
export function playFailover(story: Story, method: 'NAT' | 'DR'): void {
  const act = new Failover(method);
  const { directors, start } = act.pair;
  const [one, two] = directors;
  story.after(() => act.scene.close());

  story('the preferred director becomes master, and clients reach both real servers', async () => {
    await act.begin();
    assert.not.ok(two.has(VIP));
    await act.allLive();
    await act.allKnownTo(two);
  });

  story('every process of the master is killed: the VIP leaves it, connections go on', async () => {
    one.kill('SIGKILL');
    await act.vipLeaves(one);
    await act.masterIs(two);
    await act.allLive();
  });

  story('it comes back and takes over again: connections go on', async () => {
    start(one);
    await act.masterIs(one);
    await act.vipLeaves(two);
    await act.allLive();
    await act.allKnownTo(one);
  });

  story('every process of the master is frozen: the VIP leaves it, connections go on', async () => {
    await act.allKnownTo(two);
    one.freeze();
    await act.vipLeaves(one);
    await act.masterIs(two);
    await act.allLive();
  });

  story('it thaws and takes over again: connections go on', async () => {
    one.thaw();
    await act.masterIs(one);
    await act.vipLeaves(two);
    await act.allLive();
  });

  story('a stop leaves no VIP and no process', async () => {
    for (const director of directors) director.kill('SIGTERM');
    const ended = (): boolean => directors.every((director) => director.processes().length === 0);
    await act.scene.until('all processes have ended', ended, LONG);
    assert.equal([one.has(VIP), two.has(VIP)], [false, false]);
  });
}
