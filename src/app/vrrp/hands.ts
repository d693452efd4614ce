import { unreachable } from '../../core/assert.ts';
import type { DirectorEffect, DirectorEvent, KernelDump } from '../../core/director/events.ts';
import { familyOf } from '../../core/ip.ts';
import { PROTOCOL_KEEPALIVED } from '../../core/netlink/route.ts';
import { requestOf } from '../../core/reconcile/events.ts';
import { LeaseRequests } from '../../core/reconcile/lease-table.ts';
import { requestOfRouting } from '../../core/reconcile/routing-events.ts';
import { advertInWords } from '../../core/vrrp/advert-words.ts';
import { announcement } from '../../core/vrrp/announce.ts';
import { SystemError } from '../../io/errno.ts';
import { explainOutcome, NETLINK, NetlinkSocket } from '../../io/netlink.ts';
import { FrameSender } from '../../io/packet.ts';
import { RouteMonitor, RouteSocket } from '../../io/route.ts';
import { forwardsIpv6 } from '../../io/sysctl.ts';
import type { Level } from '../messages.ts';
import { Asker } from './asker.ts';
import { Interfaces } from './interfaces.ts';
import { Ports } from './ports.ts';

/** The transmit queue has no room. */
const FULL = ['ENOBUFS', 'EAGAIN'];
/** Room for a transaction with tens of thousands of addresses. */
const FILTER_BUFFER = 8 << 20;

type OfKernel = Exclude<
  DirectorEffect,
  {
    type:
      | 'log'
      | 'refused'
      | 'happened'
      | 'changed'
      | 'ready'
      | 'want'
      | 'let-go'
      | 'say'
      | 'handed-over'
      | 'listen'
      | 'weigh'
      | 'fence';
  }
>;
type Of<T extends DirectorEffect['type']> = Extract<DirectorEffect, { type: T }>;

/** Performs what a director decides on the kernel and the wire, and tells it what happens there. */
export class Hands {
  readonly ports: Ports;
  readonly interfaces: Interfaces;
  readonly #tell: (event: DirectorEvent) => void;
  readonly #route = new RouteSocket();
  /** For renewals alone: with each advert they would be news, which tell nothing. */
  readonly #renewals = new RouteSocket();
  readonly #monitor = new RouteMonitor();
  readonly #frames = new FrameSender();
  readonly #asker: Asker;
  #filter: NetlinkSocket | undefined;
  readonly #leases = new LeaseRequests();
  readonly #sent = new Map<string, DirectorEvent>();
  /** `-D`: adverts are logged. */
  detailed = false;
  readonly #log: (level: Level, message: string) => void;
  #following = false;
  /** News of this turn of the event loop. */
  #heard: Extract<DirectorEvent, { type: 'news' }>['events'][number][] = [];

  constructor(tell: (event: DirectorEvent) => void, log: (level: Level, message: string) => void) {
    this.#tell = tell;
    this.#log = log;
    this.ports = new Ports(
      (home, vrid, advert) => {
        const { payload, source } = advert;
        if (this.detailed) log('debug', `advert from ${source} on ${home}: ${advertInWords(payload)}`);
        tell({ type: 'packet', home, vrid, ...advert });
      },
      (error) => log('error', error.message),
    );
    this.#asker = new Asker(
      this.#frames,
      (address, mac) => tell({ type: 'answered', address, mac }),
      (error) => log('error', error.message),
    );
    this.interfaces = new Interfaces(this.#route, (message) => log('warning', message));
  }

  /** Follows the kernel from now on: however much is said in a turn of the event loop, it is told at once. */
  begin(): void {
    this.#monitor.ignore(this.#renewals);
    this.#monitor.start({
      event: (event) => {
        this.#heard.push(event);
        if (this.#heard.length === 1) setImmediate(() => this.#tellNews());
      },
      resync: (why) => this.#read(why),
    });
    this.#read();
  }

  perform(effect: OfKernel): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect);
        break;
      case 'ports':
        this.#tell({ type: 'ports', failed: this.ports.open(effect.ports) });
        break;
      case 'addresses': {
        const renews = effect.changes.every(({ op }) => op === 'renew');
        const outcomes = (renews ? this.#renewals : this.#route).apply(effect.changes.map(requestOf));
        const results = effect.changes.map(({ id }, i) => ({ id, ...(outcomes[i] ?? { errno: 0 }) }));
        this.#tell({ type: 'addresses', results });
        break;
      }
      case 'routing': {
        const outcomes = this.#route.apply(effect.changes.map(requestOfRouting));
        const results = effect.changes.map(({ id }, i) => ({ id, ...(outcomes[i] ?? { errno: 0 }) }));
        this.#tell({ type: 'routing', results });
        break;
      }
      case 'leases':
        this.#tell({ type: 'leased', outcome: this.#lease(effect) });
        break;
      case 'link': {
        const made = this.interfaces.change(effect.change);
        if (made !== undefined) this.#tell(made);
        break;
      }
      case 'promote':
        this.interfaces.promote(effect.interfaces);
        break;
      case 'follow':
        this.#following = true;
        this.#monitor.followRouting(PROTOCOL_KEEPALIVED);
        this.#tell({ type: 'followed', ...this.#routing() });
        break;
      case 'look':
        this.#monitor.drain();
        this.#tellNews();
        this.#tell({ type: 'looked' });
        break;
      case 'frames':
        this.#tell({ type: 'framed', outcome: { type: 'sent', id: effect.id, ...this.#announce(effect) } });
        break;
      case 'ask': {
        const trouble = this.#asker.ask(effect.questions, effect.listen);
        this.#tell({ type: 'asked', router: effect.router, ...(trouble !== undefined && { trouble }) });
        break;
      }
      default:
        unreachable(effect);
    }
  }

  #read(why?: string): void {
    // What was heard before is older than what is read now.
    this.#heard = [];
    const [addresses, links] = [this.#route.addresses(), this.#route.links()];
    const dump: KernelDump = { links, addresses, ...(this.#following && { routing: this.#routing() }) };
    this.#tell({ type: 'read', ...dump, ...(why !== undefined && { why }) });
  }

  #routing(): Required<KernelDump>['routing'] {
    const rules = [...this.#route.rules(4), ...this.#route.rules(6)];
    return { routes: this.#route.routesOf(PROTOCOL_KEEPALIVED), rules };
  }

  #tellNews(): void {
    if (this.#heard.length === 0) return;
    const events = this.#heard;
    this.#heard = [];
    this.#tell({ type: 'news', events });
  }

  #send({ router, port, payload, destination, source, ttl, header }: Of<'send'>): void {
    const code = this.ports.send(port, payload, destination, source, ttl, header);
    if (this.detailed)
      this.#log('debug', `${router}: advert to ${destination}: ${advertInWords(payload)}: ${code ?? 'sent'}`);
    if (code === undefined) this.#tell(this.#sentOf(router));
    else this.#tell({ type: 'unsent', router, code, destination });
  }

  /** The same object each time: whoever records it sees that. */
  #sentOf(router: string): DirectorEvent {
    const known = this.#sent.get(router);
    if (known !== undefined) return known;
    const sent = { type: 'sent', router } as const;
    this.#sent.set(router, sent);
    return sent;
  }

  #lease({ table, steps }: Of<'leases'>): Extract<DirectorEvent, { type: 'leased' }>['outcome'] {
    try {
      this.#filter ??= new NetlinkSocket(NETLINK.NETFILTER, 'nfnetlink', FILTER_BUFFER);
      return this.#filter.transact(this.#leases.of(table, steps));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return { errno: error.errno, text: error.message };
    }
  }

  #announce({ dev, ifindex, mac, addresses }: Of<'frames'>): { taken: number; trouble?: string } {
    const forwards = addresses.some((address) => familyOf(address) === 6) && forwardsIpv6(dev);
    try {
      const frames = addresses.map((address) => announcement(address, mac, forwards));
      return { taken: this.#frames.send(ifindex, frames) };
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return FULL.includes(error.code) ? { taken: 0 } : { taken: 0, trouble: error.message };
    }
  }
}

/** `EINVAL (ipv4: Invalid prefix length)` after what was refused. */
export const refusal = ({ what, ...outcome }: Of<'refused'>): string => `${what}: ${explainOutcome(outcome)}`;
