import { Director } from '../../core/director/director.ts';
import type { DirectorEffect, DirectorEvent } from '../../core/director/events.ts';
import { routerKey } from '../../core/director/identity.ts';
import type { Ip } from '../../core/ip.ts';
import type { Happening } from '../../core/notify/happening.ts';
import { Unheard } from '../../core/notify/missed.ts';
import type { Original } from '../../core/reconcile/originals.ts';
import { RehearsalTime } from '../../core/rehearsal/due.ts';
import { fields, listOf, text } from '../../core/shape.ts';
import { millis, toMillis } from '../../core/time.ts';
import { Channel, pipeEnd } from '../../io/channel.ts';
import { signal, spawnedFolder, successionPath } from '../../io/children.ts';
import { hasAddress } from '../../io/claims.ts';
import { kernelTick, now, utc } from '../../io/clock.ts';
import { digest } from '../../io/digest.ts';
import { tellRequests } from '../../io/netlink.ts';
import { Place } from '../../io/placement.ts';
import { keepsMakers } from '../../io/route.ts';
import type { SocketEnd } from '../../io/socketend.ts';
import { awaitSuccessor, ownNetwork, releaseOf, takePlace } from '../../io/succession.ts';
import { LocalReports } from '../../io/sysctl.ts';
import { onBreaking } from '../broken.ts';
import type { FromChild, Level, ToVrrp, VrrpConfiguration, VrrpNews } from '../messages.ts';
import { ProcessRecording } from '../recording.ts';
import { TRACKED, toChild } from '../shapes.ts';
import { VERSION } from '../version.ts';
import { BfdSpeakers } from './bfd.ts';
import { HandingOver } from './handingover.ts';
import { Hands, refusal } from './hands.ts';
import { complain } from './lastwords.ts';
import { Rehearsals } from './rehearsal.ts';
import { Reporter } from './reporter.ts';
import { Votes, type VotesTold } from './votes.ts';
import { Keeper } from './watchdog.ts';

/** How late a step of the wall clock may be noticed: less than the least `time_window`. */
const CLOCK_PERIOD = millis(500);
const MOST_LINES = 200;

/** What a process leaves to the one that takes its place. Other builds read it, too: `BEQUEST`. */
type Bequest = ReturnType<Director['bequest']>;
const BEQUEATHED = fields({ masters: listOf(text), tracked: listOf(TRACKED) });
const NOTHING: Bequest = { masters: [], tracked: [] };

/** The process that elects and holds addresses. It goes on when the supervisor is gone. */
export function runVrrp(): void {
  const vrrp = new VrrpProcess();
  process.on('SIGTERM', () => vrrp.stop());
  // A machine that broke an invariant is not to be trusted with a VIP: resign while that still works.
  onBreaking({ rescue: () => vrrp.resign(), explain: (error) => vrrp.explain(error) });
  vrrp.run();
}

class VrrpProcess {
  readonly recording = new ProcessRecording('vrrp', (piece) => this.#channel.send(piece));
  readonly driver = this.recording.driver;
  readonly #channel = new Channel<ToVrrp, FromChild<VrrpNews>>(pipeEnd(process), toChild.vrrp, (why) =>
    this.log('error', why),
  );
  readonly #place = new Place((problem) => this.log('warning', problem));
  readonly #localReports = new LocalReports();
  readonly #birth = { begun: now(), marks: keepsMakers(), tick: kernelTick() };
  readonly #director = new Director({
    ...this.#birth,
    digest: this.recording.recorder.witness(digest),
  });
  readonly #driven = this.driver.record(
    this.#director,
    (effects) => {
      for (const effect of effects) this.#perform(effect);
      if (effects.some(({ type }) => type === 'changed')) this.#rehearsalTime.handle({ type: 'looked' });
      if (this.#director.begun && effects.some(({ type }) => type === 'changed' || type === 'ready'))
        this.#votes.clean();
    },
    { kind: 'director', name: 'director', birth: this.#birth },
  );
  readonly #tell = (event: DirectorEvent): void => this.#driven.handle(event);
  readonly #hands = new Hands(this.#tell, (level, message) => this.log(level, message));
  readonly #votes = new Votes(
    this.driver,
    (news) => {
      if (news.type === 'changed') this.changed();
      else if (news.type === 'voted') this.#voted(news);
      else if (news.type === 'notify') this.#happened(news.happening);
      else if (news.type === 'weighed' || news.type === 'said') this.#tell(news);
      else this.#channel.send(news);
    },
    (level, message) => this.log(level, message),
  );
  readonly #handingOver = new HandingOver({
    tell: this.#tell,
    send: (message) => this.#channel.send(message),
    log: (level, message) => this.log(level, message),
    votes: () => this.#votes,
  });
  readonly #watchdog = new Keeper(
    this.driver,
    () => this.#director.lingering(),
    (level, message) => this.log(level, message),
  );
  readonly #bfd = new BfdSpeakers(
    this.driver,
    (news) => {
      if (news.type === 'changed') this.changed();
      else this.#tell({ type: 'track', events: [news.event] });
    },
    (level, message) => this.log(level, message),
  );
  readonly #reporter = new Reporter(
    this.#director.routers,
    () => this.#rest(),
    (state) => {
      const { dropped, refused } = this.#channel;
      // The next supervisor is told all.
      return this.#channel.send({ type: 'state', state, dropped, refused }) || !this.#channel.open;
    },
  );
  #rehearsals: Rehearsals | undefined;
  readonly #rehearsalTime = this.driver.attach(
    new RehearsalTime(() => this.#director.takeover),
    (effects) => {
      for (const { type } of effects) this.#rehearsals?.[type === 'rehearse' ? 'takeOver' : 'prepare']();
    },
  );
  #configuration: VrrpConfiguration | undefined;
  #clock: NodeJS.Timeout | undefined;
  /** What happened while there was no supervisor, and the last lines for its log. */
  readonly #unheard = new Unheard();
  readonly #lines: FromChild<VrrpNews>[] = [];
  readonly #identity = { release: releaseOf(VERSION, process.argv[1] ?? ''), network: ownNetwork() };
  #waitNoMore: () => void = () => undefined;
  /** Asked to stop. */
  #ending = false;
  /** What came while another process is asked for its place. */
  #later: ToVrrp[] | undefined;

  run(): void {
    this.#hands.begin();
    this.#channel.onClose(() => this.#left());
    this.#channel.onMessage((message) => {
      if (this.#later === undefined) this.#hear(message);
      else this.#later.push(message);
    });
    this.#reporter.begin();
    // The configuration has not come yet: nobody waits.
    this.#rehearsals = new Rehearsals({ ...this.#birth, digest });
  }

  #hear(message: ToVrrp): void {
    switch (message.type) {
      case 'inherit':
        if (message.predecessor === undefined) this.#inherit(message.originals, NOTHING);
        else void this.#succeed(message.originals, message.predecessor);
        break;
      case 'record':
        this.recording.begin();
        break;
      case 'look':
        this.#reporter.all();
        break;
      case 'fenced':
        this.#votes.fenced(message.director, message.at);
        break;
      case 'unfenced':
        this.#votes.unfenced(message.director, message.at);
        break;
      case 'etcd':
        this.#votes.etcd(message.answer);
        break;
      case 'configure': {
        const { configuration, detail } = message;
        const then = (): void => {
          this.#detail(detail);
          this.#configure(configuration);
          if (this.#ending) this.#end();
        };
        this.#handingOver.before(then, 'a reload gives it up', this.#givenUp(configuration));
        break;
      }
      case 'maintenance': {
        const why = 'the operator wants this director out';
        this.#handingOver.before(() => this.#tell(message), why, message.on ? undefined : []);
        break;
      }
      case 'switchover':
        this.#handingOver.switchOver(message.names);
        break;
      default:
        this.#tell(message);
    }
  }

  #inherit(originals: readonly Original[], { masters, tracked }: Bequest): void {
    this.#tell({ type: 'inherit', originals: this.#hands.interfaces.inherit(originals), masters });
    if (tracked.length > 0) this.#tell({ type: 'track', events: tracked });
  }

  /**
   * Takes the place of a process that serves until now: asked as late as possible, when all of ours is loaded. One that
   * does not yield is killed, and what it was master of is waited for as after any other death.
   */
  async #succeed(originals: readonly Original[], predecessor: number): Promise<void> {
    this.#later = [];
    const answer = await takePlace(successionPath(spawnedFolder(), 'vrrp'));
    const wrong = 'why' in answer ? answer.why : BEQUEATHED(answer.bequest);
    if (wrong !== undefined) {
      this.log('error', `the vrrp process ${predecessor} of an earlier daemon is killed: ${wrong}`);
      signal(predecessor, 'SIGKILL');
    }
    const bequest = wrong === undefined && 'bequest' in answer ? (answer.bequest as Bequest) : NOTHING;
    this.#inherit(originals, bequest);
    const later = this.#later;
    this.#later = undefined;
    for (const message of later) this.#hear(message);
  }

  log(level: Level, message: string): void {
    const line = { type: 'log', level, message, at: Date.now() } as const;
    this.#channel.send(line);
    if (this.#channel.open) return;
    complain(message);
    if (level !== 'debug') this.#lines.push(line);
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
  }

  /** Something that the status shows. */
  changed(): void {
    this.#reporter.changed();
  }

  /** The supervisor is gone: the work goes on, and the next one may take over. */
  #left(): void {
    // Without a configuration there is nothing to go on with.
    if (this.#configuration === undefined) this.#end();
    this.#waitNoMore = awaitSuccessor(successionPath(spawnedFolder(), 'vrrp'), this.#identity, {
      adopted: (end) => this.#adopted(end),
      bequest: () => this.#director.bequest(),
      // Addresses, routes, interfaces: all stays as it is, for the other one.
      yielded: () => process.exit(0),
      trouble: (why) => this.log('error', why),
    });
  }

  #adopted(end: SocketEnd): void {
    this.#channel.renew(end);
    for (const line of this.#lines.splice(0)) this.#channel.send(line);
    for (const happening of this.#unheard.take()) this.#happened(happening);
    this.#reporter.all();
  }

  #happened(happening: Happening): void {
    if (this.#channel.open) this.#channel.send({ type: 'notify', happening });
    else this.#unheard.add(happening);
  }

  /** The virtual routers that another configuration has no more. */
  #givenUp({ instances }: VrrpConfiguration): string[] {
    const stay = new Set(instances.map(routerKey));
    const before = this.#configuration?.instances ?? [];
    return before.filter((each) => !stay.has(routerKey(each))).map(({ name }) => name);
  }

  /** Priority-0 adverts, then the addresses go. */
  resign(): void {
    this.#tell({ type: 'resign' });
  }

  explain(error: Error): void {
    this.log('crit', `the vrrp process has a defect: ${error.stack ?? error.message}`);
    this.recording.atOnce(`it broke: ${error.message}`);
  }

  /**
   * What an earlier process left behind is known with the configuration: who is asked to stop before it has come waits
   * for it. The supervisor's patience has an end.
   */
  stop(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#configuration === undefined && this.#channel.open) return;
    const stays = this.#configuration?.release === false;
    this.#handingOver.before(() => this.#end(), 'the daemon stops', stays ? [] : undefined);
  }

  #end(): never {
    this.#tell({ type: 'stop' });
    this.#bfd.stop();
    this.#disarm();
    if (this.#configuration?.release !== false) this.#silenceIgmp(false);
    this.#reporter.all();
    this.#waitNoMore();
    this.#channel.send({ type: 'ends' });
    this.#channel.close();
    process.exit(0);
  }

  /** The removals have been asked for, and the kernel has carried them out by now, or refused them. */
  #disarm(): void {
    const left = this.#configuration?.release === false ? [] : this.#director.lingering().filter(isHere);
    for (const each of left) this.log('crit', `${each} cannot be removed: the watchdog will reset this host`);
    this.#watchdog.close(left.length === 0);
  }

  #detail(wanted: boolean): void {
    this.#hands.detailed = wanted;
    tellRequests(wanted ? (line) => this.log('debug', line) : undefined);
  }

  #configure(configuration: VrrpConfiguration): void {
    this.#configuration = configuration;
    const { placement, quietIgmp, bfd, watchdog, cluster, fencing, ...settings } = configuration;
    this.#place.take(placement);
    this.#silenceIgmp(quietIgmp);
    this.#bfd.configure(bfd);
    this.#watchdog.configure(watchdog);
    const groups = this.#votes.configure({ ...settings, cluster, fencing });
    this.#followClock(settings.instances.some(({ hmac }) => hmac !== undefined));
    this.#tell({ type: 'configure', settings: { ...settings, groups }, protected: this.#votes.protects });
  }

  /** The wall clock is read now, and again and again where adverts are signed with the time: nobody else needs it. */
  #followClock(again: boolean): void {
    const read = (): void => this.#tell({ type: 'clock', utc: utc() });
    read();
    clearInterval(this.#clock);
    this.#clock = again ? setInterval(read, toMillis(CLOCK_PERIOD)) : undefined;
  }

  #silenceIgmp(quiet: boolean): void {
    const trouble = this.#localReports.silence(quiet);
    if (trouble !== undefined) this.log('warning', trouble);
  }

  #perform(effect: DirectorEffect): void {
    switch (effect.type) {
      case 'log':
        this.log(effect.level, effect.message);
        break;
      case 'refused':
        this.log('error', refusal(effect));
        break;
      case 'happened':
        // Others are told by the supervisor: nothing is started here.
        this.#happened(effect.happening);
        break;
      case 'changed':
        this.#reporter.changed(
          effect.router === undefined ? undefined : this.#director.routers.get(effect.router),
        );
        break;
      case 'want':
        this.#votes.want(effect.group, effect.priority, effect.why);
        break;
      case 'let-go':
        this.#votes.letGo(effect.group, effect.why);
        break;
      case 'say':
        this.#votes.say(effect);
        break;
      case 'handed-over':
        this.#handingOver.ended(effect.given);
        break;
      case 'weigh':
        this.#votes.weigh(effect.router, effect.group, effect.master);
        break;
      case 'listen':
        this.#channel.send(effect);
        break;
      case 'fence':
        this.#votes.shoot(effect.group, effect.master, effect.why);
        break;
      case 'ready':
        this.#channel.send({ type: 'ready' });
        this.#reporter.all();
        break;
      default:
        this.#hands.perform(effect);
    }
  }

  #voted({ claim: group, event, until }: Extract<VotesTold, { type: 'voted' }>): void {
    this.#tell({ type: 'voted', group, event, until });
  }

  /** What is to be said beside the routers' states. */
  #rest(): ReturnType<ConstructorParameters<typeof Reporter>[1]> {
    const originals = this.#director.originals();
    return {
      bfd: this.#bfd.status(),
      groups: this.#director.groups(),
      bfdDiscarded: this.#bfd.discarded,
      malformed: this.#hands.ports.malformed,
      unknownVrids: this.#director.unknownVrids,
      votes: this.#votes.status(),
      watchdog: this.#watchdog.status(),
      ...(originals && { originals: [...originals, ...this.#hands.interfaces.originals()] }),
    };
  }
}

/** Whether the kernel has the address of `eth0 10.0.0.100/24` now. */
const isHere = (name: string): boolean => hasAddress((/ ([^/]+)/.exec(name)?.[1] ?? '') as Ip);
