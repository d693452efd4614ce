import type { MakeRouter } from '../../../src/core/director/events.ts';
import { Fencing } from '../../../src/core/fence/device.ts';
import { EtcdVoter } from '../../../src/core/fence/etcd.ts';
import type { Heartbeat } from '../../../src/core/fence/heartbeat-codec.ts';
import type { Parts } from '../../../src/core/fence/parts.ts';
import { ip } from '../../../src/core/ip.ts';
import { Prng } from '../../../src/core/prng.ts';
import type { Datagram } from '../../../src/core/vrrp/packet.ts';
import type { World } from '../world.ts';
import { type Day, directorsOf, type PlayedNode, segmentsOf, thirdOf, vipsOf } from './day.ts';
import { Devices } from './devices.ts';
import { Elector } from './elector.ts';
import { Host } from './host.ts';
import { Supervisor, type SupervisorTies } from './supervisor.ts';
import { EtcdData, WitnessProcess } from './third.ts';
import { Watch } from './watch.ts';
import { Wires } from './wires.ts';

/** What is wrong with the machines of a cluster; they are the real ones where all is absent. */
export interface Flaw {
  /** Of those who vote, directors and witness. */
  readonly parts?: Parts;
  readonly makeRouter?: MakeRouter;
  readonly makeFencing?: () => Fencing;
  readonly makeEtcdVoter?: SupervisorTies['makeEtcdVoter'];
  /** The VRRP process reads a clock that stands while its host does. */
  readonly pauses?: 'unnoticed';
  /** The lives of a director have no names. */
  readonly lives?: 'nameless';
}

/** Streams of chance of their own: what is left out of a day does not change what the others meet. */
const STREAM = 0x9e37;
/** In advert intervals: how long a machine takes to boot, and how soon somebody switches it on again. */
const BOOTS = 1;
const SWITCHED_ON = 6;
/** etcd is given up after so many heartbeats. */
const PATIENCE = 8;

/** A director: its host and its processes. */
export interface DirectorNode {
  readonly host: Host;
  readonly elector: Elector;
  readonly supervisor: Supervisor;
}

/** All nodes of a day, and what is between them. */
export class Cluster {
  readonly world: World;
  readonly day: Day;
  readonly watch: Watch;
  readonly wires: Wires;
  readonly devices: Devices;
  readonly hosts = new Map<string, Host>();
  readonly directors = new Map<string, DirectorNode>();
  /** The witness or etcd. */
  readonly third: Host | undefined;
  witness: WitnessProcess | undefined;
  /** etcd answers. */
  etcdWorks = true;
  readonly #etcd = new EtcdData();
  readonly #flaw: Flaw;
  readonly #watchdogs = new Map<Host, number>();

  constructor(day: Day, world: World, flaw: Flaw, trace?: (line: string) => void) {
    this.day = day;
    this.world = world;
    this.#flaw = flaw;
    const hosts: Host[] = [];
    this.watch = new Watch(world, vipsOf(day), hosts, trace);
    this.wires = new Wires(world, new Prng(day.seed + STREAM), day);
    const prng = new Prng(day.seed + STREAM * 2);
    this.devices = new Devices(world, prng, this.hosts, (host) => this.#switchedOff(host));
    for (const node of directorsOf(day)) hosts.push(this.#addDirector(node, hosts.length));
    const third = day.nodes.find(({ name }) => name === thirdOf(day));
    if (third !== undefined) this.third = this.#addThird(third);
    for (const { name, starts } of day.nodes) world.at(starts, () => this.hosts.get(name)?.powerOn());
  }

  /** Somebody looks after machines that have no power. */
  switchOn(host: Host, after: number): void {
    this.world.at(this.world.now + after, () => host.powerOn());
  }

  #switchedOff(host: Host): void {
    this.watch.note(`${host.name} is switched off`);
    this.switchOn(host, SWITCHED_ON * this.day.unit);
  }

  #addHost(node: PlayedNode, index: number): Host {
    const prng = new Prng(this.day.seed + STREAM * (10 + index));
    const host = new Host(this.world, prng, node, () => this.watch.look());
    this.hosts.set(node.name, host);
    return host;
  }

  #addThird(node: PlayedNode): Host {
    const host = this.#addHost(node, this.directors.size);
    if (node.name === 'etcd') return host;
    const witness = new WitnessProcess(host, this.day, this.#flaw.parts, (heartbeat) => {
      const { elector } = this.directors.get(heartbeat.to) ?? {};
      this.wires.send(
        'third',
        host.name,
        heartbeat.to,
        () => !elector?.host.frozen && elector?.heartbeat(heartbeat),
      );
    });
    this.witness = witness;
    host.boot = () => witness.start();
    return host;
  }

  #addDirector(node: PlayedNode, index: number): Host {
    const { day, watch, world } = this;
    const host = this.#addHost(node, index);
    for (let segment = 0; segment < segmentsOf(day); segment++)
      host.kernel.plug(segment + 1, `eth${segment}`, { ip: ip(`10.0.${segment}.${index + 1}`), length: 24 });
    const say = (message: string): void => {
      if (watch.traced) watch.note(`${host.name}: ${message}`);
    };
    const elector: Elector = new Elector(host, day, node, {
      parts: this.#flaw.parts,
      makeRouter: this.#flaw.makeRouter,
      standsStill: this.#flaw.pauses === 'unnoticed',
      nameless: this.#flaw.lives === 'nameless',
      advert: (from, segment, datagram) => this.#advert(from, segment, datagram),
      heartbeat: (from, heartbeat) => this.#heartbeat(from, heartbeat),
      etcd: (word) => supervisor.etcd(word),
      fence: (wish) => supervisor.fence(wish),
      feed: (timeout) => this.#feed(host, timeout),
      say,
    });
    const supervisor = new Supervisor(host, day, {
      makeFencing: this.#flaw.makeFencing ?? (() => new Fencing()),
      makeEtcdVoter: this.#flaw.makeEtcdVoter ?? ((...how) => new EtcdVoter(...how)),
      tell: (event) => elector.take(event),
      agent: (device, action, ended) => {
        say(`runs ${action} at the ${device.name}`);
        const reached = !this.wires.isCut('device', host.name, '');
        this.devices.run(device, action, reached, ended);
      },
      list: (answered) => this.#ask(host, () => this.#etcd.list(), answered),
      swap: (claim, over, text, answered) =>
        this.#ask(host, () => this.#etcd.swap(claim, over, text), answered),
      say,
    });
    host.boot = () =>
      world.at(world.now + BOOTS * day.unit, () => {
        supervisor.start();
        elector.start();
      });
    this.directors.set(node.name, { host, elector, supervisor });
    return host;
  }

  #advert(from: Elector, segment: number, datagram: Datagram): void {
    if (from.host.unplugged.has(segment)) return;
    for (const { host, elector } of this.directors.values()) {
      if (elector === from) continue;
      this.wires.send('vrrp', from.host.name, host.name, () => {
        if (!host.unplugged.has(segment) && !host.frozen) elector.advert(segment, datagram);
      });
    }
  }

  /** On every path there is; one of them is the VRRP link. */
  #heartbeat(from: Elector, heartbeat: Heartbeat): void {
    const { to } = heartbeat;
    const { name, unplugged } = from.host;
    if (to === this.third?.name) {
      const { third, witness } = this;
      this.wires.send('third', name, to, () => !third.frozen && witness?.receive(heartbeat));
      return;
    }
    const peer = this.directors.get(to);
    if (peer === undefined) return;
    const take = (): void => {
      if (!peer.host.frozen) peer.elector.heartbeat(heartbeat);
    };
    const linked = (): boolean => !unplugged.has(0) && !peer.host.unplugged.has(0);
    if (linked()) this.wires.send('vrrp', name, to, () => linked() && take());
    for (let path = 0; path < this.day.paths; path++) this.wires.send('heartbeat', name, to, take);
  }

  /** A request to etcd and its answer; one of them may be lost. */
  #ask<T>(host: Host, act: () => T, answered: (answer: T | undefined) => void): void {
    let open = true;
    const close = (answer: T | undefined): void => {
      if (open) answered(answer);
      open = false;
    };
    this.world.at(this.world.now + PATIENCE * this.day.interval, () => close(undefined));
    this.wires.send('third', host.name, 'etcd', () => {
      if (!this.etcdWorks) return;
      const answer = act();
      this.wires.send('third', 'etcd', host.name, () => close(answer));
    });
  }

  /** A host that does not feed its watchdog is reset. */
  #feed(host: Host, timeout: number | undefined): void {
    const turn = (this.#watchdogs.get(host) ?? 0) + 1;
    this.#watchdogs.set(host, turn);
    if (timeout === undefined) return;
    host.at(host.now + timeout, () => {
      if (this.#watchdogs.get(host) !== turn || !host.on) return;
      this.watch.note(`the watchdog of ${host.name} bites`);
      host.powerOff();
      this.switchOn(host, 0);
    });
  }
}
