import * as assert from 'uvu/assert';
import type { Report } from '../programs/client-messages.ts';
import { AddressWatch } from './address-watch.ts';
import { ask } from './director.ts';
import type { Host } from './host.ts';
import { buildPair, type Pair, type PairOptions, stateOf, VIP } from './pair.ts';
import type { Program } from './program.ts';
import { ip } from './run.ts';
import { Scene } from './scene.ts';
import { type Call, Client, ECHO_PORT, HTTP_PORT, realServer } from './traffic.ts';

/** Generous, as all limits of waits: a busy machine boots a daemon in ten seconds. */
const LONG = 180;
/** Expires on a host of its own, to compare the VIP's end with (`vipGoesByItself`). */
const WITNESS = '192.0.2.2';
/**
 * The witness's lifetime. The kernel removes an address at most 0.4 s after its end, so what is gone before the witness
 * was gone within 3.5 s of the witness's beginning, by the kernel's own clock.
 */
const WITNESS_SECONDS = 3;

/** A pair of directors under live traffic, and the words to tell what becomes of it. */
export class Failover {
  readonly scene: Scene;
  readonly pair: Pair;
  readonly watch: AddressWatch;
  readonly #client: Client;
  #connections = 0;
  readonly #idle: Call[] = [];

  private constructor(scene: Scene, pair: Pair, watch: AddressWatch, client: Client) {
    this.scene = scene;
    this.pair = pair;
    this.watch = watch;
    this.#client = client;
  }

  /** Builds the stage and starts everything but the directors. */
  static async stage(options: PairOptions): Promise<Failover> {
    const scene = new Scene();
    try {
      const pair = buildPair(scene, options);
      const watch = await AddressWatch.start(scene, [...pair.directors, pair.user]);
      for (const server of pair.servers) await realServer(server);
      return new Failover(scene, pair, watch, await Client.start(pair.user));
    } catch (error) {
      scene.close();
      throw error;
    }
  }

  until(what: string, condition: () => boolean | Promise<boolean>): Promise<number> {
    return this.scene.until(what, condition, LONG);
  }

  // Directors.

  /** Starts both; resolves when the first serves as master and the other one follows. Gives the first's daemon. */
  async elect(): Promise<Program> {
    const [one, two] = this.pair.directors;
    const daemon = this.pair.start(one);
    await this.masterIs(one);
    this.pair.start(two);
    await this.backupIs(two);
    return daemon;
  }

  /** The director is master, says so, and the kernel has the VIP there and nowhere else. */
  async masterIs(director: Host): Promise<void> {
    const alone = (): boolean => this.pair.directors.every((one) => this.holds(one) === (one === director));
    const serves = async (): Promise<boolean> => alone() && (await stateOf(director)) === 'MASTER';
    await this.until(`${director.name} is master, alone`, serves);
  }

  async backupIs(director: Host): Promise<void> {
    await this.until(`${director.name} is backup`, async () => (await stateOf(director)) === 'BACKUP');
  }

  holds(director: Host): boolean {
    return this.watch.holds(director, VIP);
  }

  /** Takes a director out as an operator does, or lets it take part again. */
  async maintenance(director: Host, on: boolean): Promise<void> {
    assert.equal(await ask(director, { verb: 'maintenance', on }), { maintenance: on });
  }

  /** A place in the story of addresses, to tell what came after it. */
  now(): number {
    return this.watch.moments.length;
  }

  // Connections.

  /** The real server that a page comes from, for an address of the client's. */
  page(from?: string): Promise<string> {
    const { vip } = this.pair;
    const host = vip.includes(':') ? `[${vip}]` : vip;
    return this.#client.get(`http://${host}:${HTTP_PORT}/`, 2000, from);
  }

  async connect(count: number): Promise<void> {
    await this.until('a page comes', async () => (await this.page()).startsWith('rs'));
    const { open } = await this.#client.open(count, this.pair.vip);
    assert.is(open, count);
    this.#connections = count;
  }

  /** Opens connections that say a word each, and are silent from then on. */
  async idle(count: number): Promise<void> {
    const made = Array.from({ length: count }, async () => {
      const call = await this.#client.dial(this.pair.vip, ECHO_PORT);
      assert.is(await call.say('hello'), 'hello');
      this.#idle.push(call);
    });
    await Promise.all(made);
  }

  /** How many of them answer with what is said to them. */
  async idleAnswer(): Promise<number> {
    const answers = await Promise.all(this.#idle.map((call, i) => call.say(`still ${i}`)));
    return answers.filter((answer, i) => answer === `still ${i}`).length;
  }

  /** Opens one more connection and waits until it has talked for a while: the director forwards new ones. */
  async newcomerTalks(): Promise<void> {
    await this.#client.open(1, this.pair.vip);
    const blocks = async (): Promise<number> => (await this.report()).blocks.at(-1) ?? 0;
    await this.until('a new connection talks', async () => (await blocks()) >= 30);
  }

  /** Waits until a director's kernel knows all connections, its own or learned from the other one. */
  async allKnownTo(director: Host): Promise<void> {
    const known = (): boolean => this.pair.connections(director) >= this.#connections;
    await this.until(`${director.name} knows all connections`, known);
  }

  /** Starts anew to measure the longest silence. */
  async measure(): Promise<void> {
    await this.#client.measure();
  }

  report(): Promise<Report> {
    return this.#client.report();
  }

  /** Whatever happened: every connection lives, and no byte was wrong. Says so, with what happened. */
  async allLive(what: string): Promise<void> {
    const { open, broken, corrupt, longestSilenceMilliseconds } =
      await this.#client.everyConnectionAnswers(LONG);
    const silence = (longestSilenceMilliseconds / 1000).toFixed(1);
    console.log(`  ${what}: ${open} of ${this.#connections} connections live; longest silence ${silence} s`);
    assert.equal({ open, broken, corrupt }, { open: this.#connections, broken: 0, corrupt: 0 });
  }

  // The VIP.

  /**
   * After a fault of `from` that began at `since`: its VIP goes within 3.5 s, by the kernel's own clock, and before
   * `to` has it. Call it right after the fault.
   */
  async vipGoesByItself(what: string, since: number, from: Host, to: Host): Promise<void> {
    const { watch } = this;
    const { user } = this.pair;
    const lifetime = `valid_lft ${WITNESS_SECONDS} preferred_lft ${WITNESS_SECONDS}`;
    ip(user.name, `address add ${WITNESS} dev lo ${lifetime}`);
    const gone = (): number | undefined => watch.first(since, from, VIP, false);
    const expired = (): number | undefined => watch.first(since, user, WITNESS, false);
    const taken = (): number | undefined => watch.first(since, to, VIP, true);
    await this.until(`the VIP leaves ${from.name}`, () => gone() !== undefined);
    await this.until('the witness of the time expires', () => expired() !== undefined);
    await this.until(`${to.name} has the VIP`, () => taken() !== undefined);
    const [end = 0, limit = 0, takeover = 0] = [gone(), expired(), taken()];
    const renewed = watch.moments
      .slice(0, end)
      .findLast((one) => one.host === from.name && one.address === VIP);
    const after = (place: number): string =>
      (((watch.moments[place]?.at ?? 0) - (renewed?.at ?? 0)) / 1000).toFixed(2);
    console.log(
      `  ${what}: the VIP left ${from.name} ${after(end)} s after its last renewal, ` +
        `and was on ${to.name} after ${after(takeover)} s`,
    );
    assert.ok(end < limit, 'the VIP was there for more than 3.5 s');
    assert.ok(end < takeover, 'two directors had the VIP');
  }

  /** Since this place in the story the VIP has not moved, and its holder went on for `renewals` of its lease. */
  async nothingMoves(since: number, holder: Host, renewals: number): Promise<void> {
    const mine = (): number =>
      this.watch.moments.slice(since).filter((one) => one.address === VIP && one.host === holder.name).length;
    await this.until(`${holder.name} renews the VIP`, () => mine() >= renewals);
    const moved = this.watch.moments
      .slice(since)
      .filter((one) => one.address === VIP && (one.host !== holder.name || !one.present));
    assert.equal(moved, []);
  }

  close(): void {
    this.scene.close();
  }
}
