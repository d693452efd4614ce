import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Ipv4Conf, Link } from '../netlink/link.ts';
import type { StackedLink } from '../netlink/link-request.ts';
import { after, type Duration, earliest, type Instant, seconds } from '../time.ts';
import { changesOf, type Original } from './originals.ts';
import { changedKeys } from './shown.ts';
import { BASE_IPV4, type VmacsEffect, type VmacsEvent, type WantedLink } from './vmac-events.ts';

/** What the kernel refuses, or somebody keeps removing, is tried again this often. */
const RETRY_PAUSE: Duration = seconds(1);
const EEXIST = 17;
const NEVER = Number.NEGATIVE_INFINITY as Instant;
/** The addresses that RFC 9568, 7.3 sets aside: an interface that has one was made for VRRP. */
const VIRTUAL_MAC = /^00:00:5e:00:0[12]:/;

interface Entry {
  wanted: WantedLink;
  /** `made`: the kernel said so, and the monitor has not shown it yet. */
  state: 'absent' | 'making' | 'made' | 'there';
  notBefore: Instant;
  /** The MTU last asked for. */
  mtu?: number;
  problem?: string;
}

/**
 * The interfaces with virtual MAC addresses (macvlan), and those that share one (ipvlan), that should be there:
 * desired state. What is missing is made, what an earlier life left is taken over, what is no longer wanted goes.
 * They follow the interface below: the kernel takes them away with it, and they are made anew when it comes back.
 *
 * One that somebody sets down stays down: an operator may want that.
 */
export class Vmacs implements Machine<VmacsEvent, VmacsEffect> {
  #links = new Map<string, Link>();
  readonly #entries = new Map<string, Entry>();
  /** Interfaces below, with what they were set to before. */
  readonly #bases = new Map<string, { readonly ifindex: number; readonly before: Ipv4Conf }>();
  /** What interfaces below were set to before an earlier life, until it is known who carries. */
  readonly #inherited = new Map<string, Ipv4Conf>();
  #asymmetric = false;
  #effects: VmacsEffect[] = [];

  handle(event: VmacsEvent, now: Instant): void {
    switch (event.type) {
      case 'want':
        this.#want(event.links);
        this.#settleAll(now);
        this.#putBack();
        return;
      case 'inherit':
        this.#inherit(event.originals);
        return;
      case 'links':
        this.#show(event.links, now);
        return;
      case 'made':
        this.#made(event, now);
        break;
      default:
        unreachable(event);
    }
    this.#settleAll(now);
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const { state, notBefore, wanted } of this.#entries.values()) {
      const waits = state === 'absent' && notBefore !== NEVER && this.#links.has(wanted.base);
      if (waits || state === 'made') next = earliest(next, notBefore);
    }
    return next;
  }

  timeout(now: Instant): void {
    for (const entry of this.#entries.values()) {
      if (entry.state === 'made' && entry.notBefore <= now) entry.state = 'absent';
    }
    this.#settleAll(now);
  }

  take(): VmacsEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Only what rests on an interface that is not as before is looked at. */
  #show(links: readonly Link[], now: Instant): void {
    const before = this.#links;
    this.#links = new Map(links.map((link) => [link.name, link]));
    const names = changedKeys(before, this.#links);
    if (names.size === 0) return;
    this.#settleBases();
    for (const entry of this.#entries.values()) {
      const { name, base } = entry.wanted;
      if (names.has(name) || names.has(base)) this.#settle(entry, now);
    }
  }

  memory() {
    return {
      links: new Map(this.#links),
      entries: Array.from(this.#entries.values(), (entry) => ({ ...entry })),
      bases: new Map(this.#bases),
      inherited: new Map(this.#inherited),
      asymmetric: this.#asymmetric,
    };
  }

  recall(memory: ReturnType<Vmacs['memory']>): void {
    [this.#links, this.#asymmetric] = [new Map(memory.links), memory.asymmetric];
    for (const entry of memory.entries) this.#entries.set(entry.wanted.name, { ...entry });
    for (const [name, base] of memory.bases) this.#bases.set(name, base);
    for (const [name, conf] of memory.inherited) this.#inherited.set(name, conf);
  }

  /** What was changed on interfaces below, as it was before. */
  originals(): Original[] {
    return Array.from(this.#bases, ([name, { before }]) => changesOf(name, before, BASE_IPV4)).flat();
  }

  #inherit(originals: readonly Original[]): void {
    for (const { device, setting, before } of originals) {
      if (!(setting in BASE_IPV4)) continue;
      this.#inherited.set(device, { ...this.#inherited.get(device), [setting]: before });
    }
  }

  /** What an earlier life changed where nothing is carried any more. */
  #putBack(): void {
    for (const [name, conf] of this.#inherited) {
      if (this.#links.has(name)) this.#effects.push({ type: 'conf', name, conf });
    }
    this.#inherited.clear();
  }

  #want(links: readonly WantedLink[]): void {
    const wanted = new Map(links.map((link) => [link.name, link]));
    for (const [name, entry] of this.#entries) {
      const next = wanted.get(name);
      if (next !== undefined && next.base === entry.wanted.base) continue;
      if (entry.state !== 'absent') this.#effects.push({ type: 'remove', name });
      this.#entries.delete(name);
      // Its end has not been shown yet: it must not be taken for one that is there.
      if (entry.state !== 'absent') this.#links.delete(name);
    }
    for (const [name, link] of wanted) {
      const entry = this.#entries.get(name);
      if (entry === undefined) this.#entries.set(name, { wanted: link, state: 'absent', notBefore: NEVER });
      else if (JSON.stringify(entry.wanted) !== JSON.stringify(link)) {
        entry.wanted = link;
        entry.state = 'absent';
      }
    }
  }

  #settleAll(now: Instant): void {
    this.#settleBases();
    for (const entry of this.#entries.values()) this.#settle(entry, now);
  }

  #settle(entry: Entry, now: Instant): void {
    const { wanted } = entry;
    const base = this.#links.get(wanted.base);
    const there = this.#links.get(wanted.name);
    const right = there?.kind === wanted.sort.kind && there.lower === base?.ifindex;
    if (right && entry.state === 'made') entry.state = 'there';
    if (!right && entry.state === 'there') entry.state = 'absent';
    if (entry.state === 'there') this.#followMtu(entry, base, there);
    if (entry.state !== 'absent' || base === undefined || entry.notBefore > now) return;
    if (there === undefined) this.#make(entry, base, 'add');
    else if (right) this.#adopt(entry, base);
    else if (there.kind === wanted.sort.kind && VIRTUAL_MAC.test(there.mac ?? '')) {
      this.#effects.push({ type: 'remove', name: wanted.name });
      this.#links.delete(wanted.name);
      this.#make(entry, base, 'add');
    } else {
      const text = `there is another interface ${wanted.name}; give a name with use_vmac or use_ipvlan`;
      this.#fail(entry, EEXIST, text, now);
    }
  }

  #adopt(entry: Entry, base: Link): void {
    this.#effects.push({ type: 'adopted', name: entry.wanted.name });
    this.#make(entry, base, 'change');
  }

  #make(entry: Entry, base: Link, how: 'add' | 'change'): void {
    const { wanted } = entry;
    const { name, group, sort } = wanted;
    entry.state = 'making';
    const shared = {
      name,
      base: base.ifindex,
      ...(base.master !== undefined && this.#isVrf(base.master) && { master: base.master }),
      ...(group !== undefined && { group }),
    };
    const link: StackedLink = { ...shared, ...sort };
    this.#effects.push({ type: 'make', how, wanted, link });
  }

  #isVrf(ifindex: number): boolean {
    for (const link of this.#links.values()) if (link.ifindex === ifindex) return link.kind === 'vrf';
    return false;
  }

  #made({ name, errno, text }: Extract<VmacsEvent, { type: 'made' }>, now: Instant): void {
    const entry = this.#entries.get(name);
    if (entry?.state !== 'making') return;
    // It is there, and the monitor has not shown it yet: once it does, it is judged.
    if (errno === EEXIST) entry.state = 'absent';
    else if (errno !== 0) this.#fail(entry, errno, text, now);
    if (errno === EEXIST) entry.notBefore = after(now, RETRY_PAUSE);
    if (errno !== 0) return;
    delete entry.problem;
    // The monitor shows it soon; when it does not, somebody removed it meanwhile.
    entry.state = 'made';
    entry.notBefore = after(now, RETRY_PAUSE);
  }

  #fail(entry: Entry, errno: number, text: string | undefined, now: Instant): void {
    entry.state = 'absent';
    entry.notBefore = after(now, RETRY_PAUSE);
    const problem = `${errno} ${text ?? ''}`;
    if (entry.problem === problem) return;
    entry.problem = problem;
    const { name } = entry.wanted;
    this.#effects.push({ type: 'problem', name, errno, ...(text !== undefined && { text }) });
  }

  /** The kernel lowers the MTU with that of the interface below, and never raises it. */
  #followMtu(entry: Entry, base: Link | undefined, there: Link | undefined): void {
    if (base === undefined || there === undefined || base.mtu === there.mtu) return;
    if (entry.mtu === base.mtu) return;
    entry.mtu = base.mtu;
    this.#effects.push({ type: 'mtu', name: there.name, mtu: base.mtu });
  }

  #settleBases(): void {
    const carrying = new Set<string>();
    for (const { wanted } of this.#entries.values()) {
      if (wanted.ipv4 && wanted.sort.kind === 'macvlan') carrying.add(wanted.base);
    }
    for (const [name, { ifindex, before }] of this.#bases) {
      const link = this.#links.get(name);
      if (carrying.has(name) && link?.ifindex === ifindex) continue;
      if (link?.ifindex === ifindex) this.#effects.push({ type: 'conf', name, conf: before });
      this.#bases.delete(name);
    }
    for (const name of carrying) {
      const link = this.#links.get(name);
      if (link === undefined || this.#bases.has(name)) continue;
      const before = { ...settingsOf(link), ...this.#inherited.get(name) };
      this.#inherited.delete(name);
      this.#bases.set(name, { ifindex: link.ifindex, before });
      this.#effects.push({ type: 'conf', name, conf: BASE_IPV4 });
    }
    if (this.#asymmetric === carrying.size > 0) return;
    this.#asymmetric = carrying.size > 0;
    this.#effects.push({ type: 'asymmetric', on: this.#asymmetric });
  }
}

/** Of what is set on interfaces below. */
function settingsOf({ ipv4 = {} }: Link): Ipv4Conf {
  const { arp_ignore = 0, arp_filter = 0, arp_announce = 0 } = ipv4;
  return { arp_ignore, arp_filter, arp_announce };
}
