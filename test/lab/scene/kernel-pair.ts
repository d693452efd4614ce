import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonName } from '../../bench/daemon.ts';
import { ROOT } from '../engine/root.ts';
import type { Holders } from './answers.ts';
import { KEEPALIVED } from './director.ts';
import { Eye } from './eye.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';
import type { Machine, RemoteProgram } from './machine.ts';
import { pairConfiguration, VIP } from './pair.ts';
import { Scene } from './scene.ts';
import { Client, realServer } from './traffic.ts';

/** So many connections are open through IPVS while something befalls the directors. */
export const CONNECTIONS = 50;
/** A connection that has heard nothing for so long after the fault is lost. */
const SILENT_SECONDS = 60;
const LONGEST_PROMISE_SECONDS = 3;
const KEY = 'a secret of these three';
const USER = '10.0.0.10';
const WITNESS = '10.0.0.9';
const FILE = '/tmp/web.conf';
const PID_FILE = '/tmp/daemon.pid';
const COMMAND: Readonly<Record<DaemonName, string>> = {
  vipkeeper: join(ROOT, 'bin/vipkeeperd'),
  keepalived: KEEPALIVED,
};

/** Of vipkeeper: who promises what to whom. */
const protection = (name: string): string => `heartbeat {
  cluster web
  key_file /tmp/web.key
  director one 10.0.0.1
  director two 10.0.0.2
  name ${name}
  longest_promise ${LONGEST_PROMISE_SECONDS}
}
witness {
  address ${WITNESS}
}
`;

/** What a fault cost: milliseconds in which two and nobody answered, connections that did not outlive it. */
export interface Cost extends Holders {
  readonly lost: number;
  /** The other director has answered. */
  readonly moved: boolean;
}

/**
 * Two directors with a kernel each, of which the first is better, before two real servers (LVS-DR, connection sync); a
 * witness beside those of vipkeeper. Somebody holds connections, and somebody asks who has the VIP.
 */
export class KernelPair {
  readonly scene: Scene;
  readonly daemon: DaemonName;
  readonly lan: Link;
  readonly directors: readonly [Machine, Machine];
  readonly #user: Host;
  readonly #client: Client;
  readonly #eye: Eye;
  readonly #first: string;
  readonly #daemons: (RemoteProgram | undefined)[] = [undefined, undefined];

  private constructor(
    daemon: DaemonName,
    { scene, lan, user }: Surroundings,
    directors: readonly [Machine, Machine],
    { client, eye, first }: { readonly client: Client; readonly eye: Eye; readonly first: string },
  ) {
    this.daemon = daemon;
    this.scene = scene;
    this.lan = lan;
    this.directors = directors;
    this.#user = user;
    this.#client = client;
    this.#eye = eye;
    this.#first = first;
  }

  /** Boots the kernels and starts everything. */
  static async boot(daemon: DaemonName): Promise<KernelPair> {
    const scene = new Scene();
    try {
      const around = await surroundings(scene);
      const { lan, user } = around;
      const directors = await Promise.all([scene.machine('one', [lan]), scene.machine('two', [lan])]);
      const macs = await Promise.all(directors.map(hardware));
      const eye = await Eye.open(user, 'lan', macs, `${USER}>${VIP}`);
      const client = await Client.start(user);
      const pair = new KernelPair(daemon, around, directors, { client, eye, first: macs[0] ?? '' });
      for (const i of [0, 1] as const) await pair.#configure(i);
      return pair;
    } catch (error) {
      scene.close();
      throw error;
    }
  }

  async #configure(i: 0 | 1): Promise<void> {
    const machine = this.directors[i];
    const text = pairConfiguration({ method: 'DR' }, i === 0);
    await machine.run(`ip address add 10.0.0.${i + 1}/24 dev lan
      umask 077
      echo '${KEY}' >/tmp/web.key
      cat >${FILE} <<'END'\n${this.daemon === 'vipkeeper' ? protection(machine.name) : ''}${text}END`);
    this.start(i);
  }

  /** Starts a director's daemon. */
  start(i: 0 | 1): void {
    const told = ['sh', '-c', `echo $$ >${PID_FILE}; exec "$@"`, 'daemon'];
    const argv = [...told, COMMAND[this.daemon], '-n', '-l', '-D', '-G', '-f', FILE];
    this.#daemons[i] = this.directors[i].start(this.daemon, argv);
  }

  /** A director's daemon, as it was started last. */
  daemonOf(i: 0 | 1): RemoteProgram {
    const daemon = this.#daemons[i];
    if (daemon === undefined) throw new Error('it was not started');
    return daemon;
  }

  /** Sends a signal to all processes of a director's daemon at once. */
  async signal(i: 0 | 1, name: 'STOP' | 'CONT' | 'KILL'): Promise<void> {
    // All stand still before the first one dies: the others would notice.
    await this.directors[i].run(`family() {
        echo $1
        for child in $(pgrep -P $1); do family $child; done
      }
      all=$(family $(cat ${PID_FILE}))
      [ ${name} = CONT ] || kill -STOP $all
      kill -${name} $all`);
  }

  /** What it costs when something befalls the pair, of which the better one is master and the other one knows all. */
  async suffer(act: (pair: KernelPair) => Promise<void>): Promise<Cost> {
    await this.#eye.settle(this.#first);
    await this.#connect();
    await this.#eye.begin();
    await act(this);
    await this.#eye.settle();
    const moved = await this.#eye.hasMovedFrom(this.#first);
    return { ...(await this.#eye.holders()), moved, lost: await this.#lost() };
  }

  /** Opens all connections anew, and waits until both kernels know them. */
  async #connect(): Promise<void> {
    await this.scene.until('all connections are open', async () => {
      await this.#client.close();
      return (await this.#client.open(CONNECTIONS, VIP)).open === CONNECTIONS;
    });
    const ports = this.#user.run('ss', '-Htn', 'state', 'established', 'dst', VIP).matchAll(PORT);
    const open = Array.from(ports, ([, port]) => port);
    for (const director of this.directors) {
      await this.scene.until(`${director.name} knows all connections`, async () => {
        const table = (await director.run('ipvsadm -Lnc')).matchAll(ENTRY);
        const known = new Set(Array.from(table, ([, port]) => port));
        return open.length >= CONNECTIONS && open.every((port) => known.has(port));
      });
    }
  }

  /** How many connections broke, or hear nothing any more. */
  async #lost(): Promise<number> {
    const before = (await this.#client.report()).blocks;
    let answering = 0;
    const settled = async (): Promise<boolean> => {
      const { blocks, open } = await this.#client.report();
      answering = blocks.filter((count, i) => count >= (before[i] ?? 0) + 2).length;
      return answering >= open;
    };
    // Those that are silent to the end are lost, and so is the wait for them.
    await this.scene.until('every open connection answers', settled, SILENT_SECONDS).catch(() => undefined);
    return CONNECTIONS - answering;
  }

  close(): void {
    this.scene.close();
  }
}

/** The client's own port, of `ss` and of `ipvsadm -Lnc`. */
const PORT = new RegExp(`${USER.replaceAll('.', '\\.')}:(\\d+) `, 'g');
const ENTRY = new RegExp(`ESTABLISHED +${PORT.source}`, 'g');

/** All that is no director. */
interface Surroundings {
  readonly scene: Scene;
  readonly lan: Link;
  readonly user: Host;
}

async function surroundings(scene: Scene): Promise<Surroundings> {
  const lan = scene.link('lan');
  const user = scene.host('user').on(lan, `${USER}/24`);
  for (const n of [1, 2])
    await realServer(
      scene
        .host(`rs${n}`)
        .on(lan, `10.0.0.${20 + n}/24`)
        .holdsQuietly(VIP),
    );
  const keys = join(scene.folder, 'keys');
  mkdirSync(keys);
  writeFileSync(join(keys, 'web.key'), `${KEY}\n`, { mode: 0o600 });
  const options = ['--keys', keys, '--longest', `${LONGEST_PROMISE_SECONDS}`];
  scene
    .host('witness')
    .on(lan, `${WITNESS}/24`)
    .start('witness', [join(ROOT, 'bin/vipkeeper-witness'), ...options]);
  return { scene, lan, user };
}

const hardware = async (machine: Machine): Promise<string> =>
  (await machine.run('cat /sys/class/net/lan/address')).trim();
