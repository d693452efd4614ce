import { writeSync } from 'node:fs';
import { unreachable } from '../core/assert.ts';
import { Interfaces } from '../core/interfaces.ts';
import { type Family, formatPrefix, type Ip } from '../core/ip.ts';
import { Addresses } from '../core/kernel/addresses.ts';
import { type AddressesEffect, type AddressesEvent, requestOf } from '../core/kernel/events.ts';
import type { RouteEvent } from '../core/netlink/events.ts';
import { STATE_PERIOD } from '../core/supervision.ts';
import { toMillis } from '../core/time.ts';
import type { VrrpSettings } from '../core/vrrp/settings.ts';
import { Channel } from '../io/channel.ts';
import { type Driven, Driver } from '../io/drive.ts';
import { SystemError } from '../io/errno.ts';
import { explainOutcome } from '../io/netlink.ts';
import { RouteMonitor, RouteSocket } from '../io/route.ts';
import { sched } from '../io/socket.ts';
import type { ReceivedAdvert } from '../io/vrrp.ts';
import type { FromChild, Level, ToVrrp, VrrpConfiguration, VrrpState } from './messages.ts';
import { Ports, Router, routerKey, type Surroundings } from './routers.ts';

const EXIT_CRASHED = 70;

/** The process that elects and holds addresses. It goes on when the supervisor is gone. */
export function runVrrp(): void {
  const vrrp = new VrrpProcess();
  process.on('SIGTERM', () => vrrp.stop());
  process.on('SIGINT', () => undefined);
  process.on('uncaughtException', (error) => {
    // A machine that broke an invariant is not to be trusted with a VIP: resign while that still works.
    complain(error.stack ?? error.message);
    try {
      vrrp.resign();
    } finally {
      process.exit(EXIT_CRASHED);
    }
  });
  vrrp.run();
}

/** Without a supervisor. Whoever read our standard error may be gone as well, which is no reason to fail. */
function complain(text: string): void {
  try {
    writeSync(2, `vipkeeper vrrp: ${text}\n`);
  } catch {
    // Nobody is left to tell.
  }
}

class VrrpProcess implements Surroundings {
  readonly driver = new Driver();
  readonly interfaces = new Interfaces();
  readonly #channel = new Channel<ToVrrp, FromChild<VrrpState>>(process);
  readonly #route = new RouteSocket();
  readonly #addresses: Driven<AddressesEvent>;
  readonly #ports = new Ports(this, (...packet) => this.#deliver(...packet));
  readonly #routers = new Map<string, Router>();
  #configuration: VrrpConfiguration = { instances: [], realTimePriority: 0, release: true };
  /** Every address that VRRP moves: no source for adverts, and no news for a router. */
  #virtual: ReadonlySet<Ip> = new Set();
  #maintenance = false;

  constructor() {
    this.#addresses = this.driver.attach(new Addresses(), (effects) => {
      for (const effect of effects) this.#performAddress(effect);
    });
  }

  run(): void {
    this.#watchKernel();
    this.#channel.onMessage((message) => {
      if (message.type === 'maintenance') this.#setMaintenance(message.on);
      else this.#configure(message.configuration);
    });
    setInterval(() => this.changed(), toMillis(STATE_PERIOD));
  }

  addresses(event: AddressesEvent): void {
    if (event.type === 'release' && !this.#configuration.release) return;
    this.#addresses.handle(event);
  }

  log(level: Level, message: string): void {
    this.#channel.send({ type: 'log', level, message });
    if (!this.#channel.open) complain(message);
  }

  changed(): void {
    const instances = Array.from(this.#routers.values(), (router) => router.status());
    this.#channel.send({ type: 'state', state: { instances, malformed: this.#ports.malformed } });
  }

  /** Priority-0 adverts, then the addresses go. */
  resign(): void {
    for (const router of this.#routers.values()) router.handle({ type: 'stop' });
  }

  stop(): void {
    this.resign();
    this.changed();
    process.disconnect?.();
    process.exit(0);
  }

  #configure(configuration: VrrpConfiguration): void {
    this.#configuration = configuration;
    const held = configuration.instances.flatMap(({ addresses, excluded }) => [...addresses, ...excluded]);
    this.#virtual = new Set(held.map(({ address }) => address.ip));
    this.#schedule(configuration.realTimePriority);
    const wanted = new Map(configuration.instances.map((settings) => [routerKey(settings), settings]));
    for (const [key, router] of this.#routers) {
      if (JSON.stringify(wanted.get(key)) !== JSON.stringify(router.settings)) this.#remove(key, router);
    }
    for (const [key, settings] of wanted) if (!this.#routers.has(key)) this.#add(key, settings);
    this.#reground();
    this.#channel.send({ type: 'ready' });
    this.changed();
  }

  #add(key: string, settings: VrrpSettings): void {
    const router = new Router(settings, this.#ports, this);
    this.#routers.set(key, router);
    router.handle({ type: 'start' });
  }

  #remove(key: string, router: Router): void {
    router.handle({ type: 'stop' });
    router.close();
    this.#routers.delete(key);
  }

  #setMaintenance(on: boolean): void {
    this.#maintenance = on;
    this.#reground();
  }

  #deliver(device: string, family: Family, vrid: number, advert: ReceivedAdvert): void {
    this.#routers.get(`${device} IPv${family} VRID ${vrid}`)?.handle({ type: 'packet', ...advert });
  }

  /** Real time where permitted; without it adverts are late when the processors are busy, which is said once. */
  #schedule(priority: number): void {
    try {
      sched(priority > 0 ? 'RR' : 'OTHER', priority);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.log('warning', `no real-time scheduling (${error.message}): grant CAP_SYS_NICE or LimitRTPRIO`);
    }
  }

  // The kernel's interfaces and addresses.

  #watchKernel(): void {
    new RouteMonitor().start({
      event: (event) => this.#kernelChanged(event),
      resync: (why) => {
        this.log('warning', `${why}: reading interfaces and addresses again`);
        this.#readKernel();
      },
    });
    this.#readKernel();
  }

  #readKernel(): void {
    const addresses = this.#route.addresses();
    this.interfaces.clear();
    for (const link of this.#route.links()) this.interfaces.link(link, true);
    for (const address of addresses) this.interfaces.address(address, true);
    this.#addresses.handle({ type: 'links', links: this.interfaces.all() });
    this.#addresses.handle({ type: 'shown', addresses });
    this.#reground();
  }

  #kernelChanged(event: RouteEvent): void {
    if (event.type === 'link') {
      this.interfaces.link(event.link, event.present);
      this.#addresses.handle({ type: 'links', links: this.interfaces.all() });
    } else if (event.type === 'address') {
      const { address, present } = event;
      this.interfaces.address(address, present);
      this.#addresses.handle({ type: 'seen', address, present });
      if (this.#virtual.has(address.address.ip)) return;
    }
    this.#reground();
  }

  #reground(): void {
    const hindrance = this.#maintenance ? 'the operator wants this director out (maintenance)' : undefined;
    for (const router of this.#routers.values()) router.reground(this.#virtual, hindrance);
  }

  #performAddress(effect: AddressesEffect): void {
    switch (effect.type) {
      case 'apply': {
        const outcomes = this.#route.apply(effect.changes.map(requestOf));
        const results = effect.changes.map(({ id }, i) => ({ id, ...(outcomes[i] ?? { errno: 0 }) }));
        this.#addresses.handle({ type: 'done', results });
        break;
      }
      case 'restored': {
        const lost = effect.addresses.map(({ address }) => formatPrefix(address)).join(', ');
        this.log('warning', `${effect.owner}: put back what was gone: ${lost}`);
        this.#named(effect.owner)?.announce(effect.addresses);
        break;
      }
      case 'adopted':
        this.log('notice', `${effect.owner}: ${formatPrefix(effect.address.address)} was there already`);
        break;
      case 'problem':
        this.log('error', `${effect.owner ?? 'addresses'}: ${effect.what}: ${explainOutcome(effect)}`);
        break;
      default:
        unreachable(effect);
    }
  }

  #named(name: string): Router | undefined {
    for (const router of this.#routers.values()) if (router.settings.name === name) return router;
    return undefined;
  }
}
