import { unreachable } from '../../core/assert.ts';
import type { OperationFailure } from '../../core/balance/keeper.ts';
import { parseServiceName, type ServiceKey, serviceName } from '../../core/balance/model.ts';
import type { Operation } from '../../core/balance/plan.ts';
import type { Reading } from '../../core/balance/table.ts';
import type { LvsTimeouts } from '../../core/config/model.ts';
import {
  fromIpvsDestination,
  fromIpvsService,
  toIpvsKey,
  toIpvsOperation,
} from '../../core/reconcile/ipvs-table.ts';
import { whole } from '../../core/serving/abridged.ts';
import type { BalancerEffect, BalancerEvent } from '../../core/serving/balancer.ts';
import { Balancer } from '../../core/serving/balancer.ts';
import type { ServiceCount } from '../../core/serving/connections.ts';
import { EXIT_PERMANENT } from '../../core/supervision/child.ts';
import { type Duration, type Instant, micros, seconds, since, toSeconds } from '../../core/time.ts';
import { Channel, pipeEnd } from '../../io/channel.ts';
import { spawnedNamespace } from '../../io/children.ts';
import { now } from '../../io/clock.ts';
import type { Driven } from '../../io/drive.ts';
import { errnoName } from '../../io/errno.ts';
import { IpvsClient, NoIpvs } from '../../io/ipvs.ts';
import { KeptFiles } from '../../io/kept.ts';
import { ledgerText, readLedger } from '../../io/ledger.ts';
import { NetlinkError, tellRequests } from '../../io/netlink.ts';
import { onStall } from '../../io/patience.ts';
import { Place } from '../../io/placement.ts';
import type { Probe } from '../../io/probe.ts';
import { startProbe } from '../../io/probes.ts';
import { onBreaking } from '../broken.ts';
import type { CheckConfiguration, CheckOrders, CheckState, FromChild, Level, ToCheck } from '../messages.ts';
import { ProcessRecording } from '../recording.ts';
import { toChild } from '../shapes.ts';
import { HeldAddresses } from './held.ts';

/** A message that was lost is mended by the next whole state; a large table's is a megabyte. */
const STATE_MS = 4000;
/** Changes within this time go out as one state: when a rack dies, hundreds of servers do. */
const GATHER_MS = 100;
/** How often stalls are said. */
const STALLS_SAID = seconds(60);

/** The check process: health checks, and the kernel's IPVS table after them. Started by the supervisor. */
export function runCheckProcess(): void {
  const check = new CheckProcess();
  process.on('SIGTERM', () => check.stop());
  // The table stays as it is, and the next process goes on with it.
  onBreaking({ explain: (error) => check.explain(error) });
}

/** Performs the balancer's effects. When the supervisor is gone it goes on: so does VRRP. */
class CheckProcess {
  readonly #channel = new Channel<ToCheck, FromChild<CheckState>>(pipeEnd(process), toChild.check, (why) =>
    this.#log('error', why),
  );
  readonly #balancer = new Balancer();
  readonly #recording: ProcessRecording;
  readonly #driven: Driven<BalancerEvent>;
  readonly #probes = new Map<string, Probe>();
  readonly #place = new Place((problem) => this.#log('warning', problem));
  readonly #files = new KeptFiles((level, message) => this.#log(level, message));
  #ipvs: IpvsClient | undefined;
  readonly #held: HeldAddresses;
  #configuration: CheckConfiguration | undefined;
  #gathering: NodeJS.Timeout | undefined;
  /** Not said yet, and when the last were. */
  #stalls: { count: number; length: number; said: Instant | undefined } = {
    count: 0,
    length: 0,
    said: undefined,
  };

  constructor() {
    const channel = this.#channel;
    this.#recording = new ProcessRecording('check', (piece) => channel.send(piece));
    const perform = (effects: readonly BalancerEffect[]): void => {
      for (const effect of effects) this.#perform(effect);
    };
    const part = { kind: 'balancer', name: 'check', birth: {} } as const;
    this.#driven = this.#recording.driver.record(this.#balancer, perform, part);
    this.#held = new HeldAddresses((addresses) => this.#driven.handle({ type: 'held', addresses }));
    channel.onMessage((message) => {
      if (message.type === 'configure') {
        tellRequests(message.detail ? (line) => this.#log('debug', line) : undefined);
        this.#configure(message.configuration);
      } else if (message.type === 'look') this.#sendState(true);
      else if (message.type === 'record') this.#recording.begin();
      else this.#driven.handle(message);
    });
    channel.onClose(() => this.#configuration === undefined && process.exit(0));
    setInterval(() => this.#sendState(), STATE_MS);
    onStall((length) => this.#sayStall(length));
  }

  /** Before a bad end. */
  explain(error: Error): void {
    this.#log('crit', `the check process has a defect: ${error.stack ?? error.message}`);
    this.#recording.atOnce(`it broke: ${error.message}`);
  }

  stop(): void {
    const { release = false, global } = this.#configuration ?? {};
    this.#driven.handle({ type: 'stop', release, flush: global?.flushOnStop ?? false });
  }

  #configure(told: CheckOrders): void {
    const first = this.#configuration === undefined;
    const before = this.#configuration?.virtualServers ?? [];
    const configuration = { ...told, virtualServers: whole(told.virtualServers, before) };
    this.#configuration = configuration;
    this.#place.take(configuration.global.placements.check);
    if (first && !this.#openIpvs()) return;
    const { virtualServers, global, orders = [] } = configuration;
    if (first) this.#inherit(configuration.ledger);
    this.#setTimeouts(global.timeouts);
    this.#held.follow(virtualServers);
    const { initNotifies } = global;
    const flush = first && global.flush;
    this.#driven.handle({ type: 'configure', virtualServers, flush, initNotifies, orders });
  }

  /** What the table has of an earlier process is ours, also where the configuration has dropped it meanwhile. */
  #inherit(ledger: string): void {
    try {
      const keys = readLedger(ledger).flatMap((name) => parseServiceName(name) ?? []);
      this.#driven.handle({ type: 'inherit', keys });
    } catch (error) {
      this.#log('warning', `which services are ours is not known from before: ${(error as Error).message}`);
    }
  }

  #own(keys: readonly ServiceKey[]): void {
    if (this.#configuration === undefined) return;
    this.#files.keep(this.#configuration.ledger, ledgerText(keys.map(serviceName)), { mode: 0o600 });
  }

  /** `lvs_timeouts`: what differs from the kernel's is set. */
  #setTimeouts(wanted: LvsTimeouts | undefined): void {
    const ipvs = this.#ipvs;
    if (wanted === undefined || ipvs === undefined) return;
    const { tcp = 0, tcpfin = 0, udp = 0 } = wanted;
    const now = ipvs.timeouts();
    const differs = (value: number, present: number): boolean => value !== 0 && value !== present;
    if (!differs(tcp, now.tcp) && !differs(tcpfin, now.tcpFin) && !differs(udp, now.udp)) return;
    const [outcome] = ipvs.apply([{ op: 'set-timeouts', timeouts: { tcp, tcpFin: tcpfin, udp } }]);
    if (outcome !== undefined && outcome.errno !== 0) {
      this.#log('error', `cannot set the IPVS timeouts (${errnoName(outcome.errno)})`);
    }
  }

  /** Without IPVS, or the right to it, there is nothing that a restart could better. */
  #openIpvs(): boolean {
    try {
      this.#ipvs = new IpvsClient(spawnedNamespace());
      // Finding IPVS is everybody's right; reading needs the capability.
      this.#ipvs.info();
      return true;
    } catch (error) {
      this.#log('crit', whyNoIpvs(error));
      // The message leaves first.
      setImmediate(() => process.exit(EXIT_PERMANENT));
      return false;
    }
  }

  #perform(effect: BalancerEffect): void {
    switch (effect.type) {
      case 'probe':
        this.#probe(effect);
        return;
      case 'abort':
        this.#probes.get(effect.id)?.abort();
        this.#probes.delete(effect.id);
        return;
      case 'read':
        this.#driven.handle(this.#read(effect.destinationsOf));
        return;
      case 'count':
        this.#driven.handle({ type: 'counted', counts: this.#count(effect.services) });
        return;
      case 'apply':
        this.#driven.handle({ type: 'applied', failures: this.#apply(effect.operations) });
        return;
      case 'flush': {
        const [outcome] = this.#ipvs?.apply([{ op: 'flush' }]) ?? [];
        const failed = outcome !== undefined && outcome.errno !== 0;
        const failures = failed ? [{ index: 0, code: errnoName(outcome.errno) }] : [];
        this.#driven.handle({ type: 'applied', failures });
        return;
      }
      case 'log':
        this.#log(effect.level, effect.message);
        return;
      case 'own':
        this.#own(effect.keys);
        return;
      case 'happening':
        this.#channel.send({ type: 'notify', happening: effect.happening });
        return;
      case 'changed':
        this.#gathering ??= setTimeout(() => this.#sendState(), GATHER_MS);
        return;
      case 'ready':
        this.#channel.send({ type: 'ready' });
        return;
      case 'released':
        // What was said last leaves first.
        setImmediate(() => process.exit(0));
        return;
      default:
        unreachable(effect);
    }
  }

  #probe({ id, check, part }: Extract<BalancerEffect, { type: 'probe' }>): void {
    const probe = startProbe(check, part, (result) => {
      this.#probes.delete(id);
      this.#driven.handle({ type: 'outcome', id, result });
    });
    this.#probes.set(id, probe);
  }

  #read(destinationsOf: readonly ServiceKey[]): BalancerEvent {
    if (this.#ipvs === undefined) return { type: 'unreadable', reason: 'it is not open' };
    try {
      return { type: 'table', reading: readTable(this.#ipvs, destinationsOf) };
    } catch (error) {
      return { type: 'unreadable', reason: (error as Error).message };
    }
  }

  /** Nothing of services that cannot be read now. */
  #count(services: readonly ServiceKey[]): ServiceCount[] {
    try {
      return services.map((key) => {
        const destinations = this.#ipvs?.destinations(toIpvsKey(key)) ?? [];
        return {
          key,
          destinations: destinations.map(({ address, port, active, inactive }) => ({
            ...{ address, port, active, inactive },
          })),
        };
      });
    } catch (error) {
      this.#log('warning', `cannot count connections: ${(error as Error).message}`);
      return [];
    }
  }

  #apply(operations: readonly Operation[]): OperationFailure[] {
    const outcomes = this.#ipvs?.apply(operations.map(toIpvsOperation)) ?? [];
    return outcomes.flatMap(({ errno }, index) => (errno === 0 ? [] : [{ index, code: errnoName(errno) }]));
  }

  /** `looked`: somebody looks, and wants to see it all. */
  #sendState(looked = false): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const counts = looked ? this.#count(this.#balancer.keys()) : undefined;
    const { dropped, refused } = this.#channel;
    this.#channel.send({ type: 'state', state: this.#balancer.status(counts), dropped, refused });
  }

  /** A machine that is always busy says it once a minute. */
  #sayStall(length: Duration): void {
    this.#stalls.count += 1;
    this.#stalls.length += length;
    if (this.#stalls.said !== undefined && since(now(), this.#stalls.said) < STALLS_SAID) return;
    const { count, length: sum } = this.#stalls;
    this.#stalls = { count: 0, length: 0, said: now() };
    const times = count === 1 ? '' : `, ${count} times`;
    const stood = `the check process stood still for ${toSeconds(micros(sum)).toFixed(1)} s${times}`;
    this.#log('warning', `${stood}; no server is held to account for that`);
  }

  #log(level: Level, message: string): void {
    this.#channel.send({ type: 'log', level, message, at: Date.now() });
  }
}

/** Destinations only of services that exist: at a start most do not. Throws NetlinkError and SystemError. */
function readTable(ipvs: IpvsClient, destinationsOf: readonly ServiceKey[]): Reading {
  const services = ipvs
    .services()
    .map(fromIpvsService)
    .filter((service) => service !== undefined);
  const present = new Set(services.map(({ key }) => serviceName(key)));
  const destinations = destinationsOf
    .filter((key) => present.has(serviceName(key)))
    .map((key) => ({ key, list: ipvs.destinations(toIpvsKey(key)).map(fromIpvsDestination) }));
  return { services, destinations };
}

function whyNoIpvs(error: unknown): string {
  const reason = (error as Error).message;
  if (error instanceof NoIpvs) {
    return `${reason}. To run VRRP alone, start vipkeeperd with -P`;
  }
  if (error instanceof NetlinkError && error.code === 'EPERM') {
    return 'the IPVS table needs CAP_NET_ADMIN: run as root, or give the service that capability';
  }
  return `cannot use IPVS: ${reason}`;
}
