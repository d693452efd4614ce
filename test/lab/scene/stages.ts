import type { Host } from './host.ts';
import type { Link } from './link.ts';
import { Scene } from './scene.ts';

export const VIP = '10.0.0.100';
export const VIP6 = 'fd00::100';
export const DIRECTOR = '10.0.0.2';
/** Real servers of `natStage`, from 1. */
export const inner = (n: number): string => `192.168.1.${10 + n}`;
export const inner6 = (n: number): string => `fd01::${10 + n}`;
/** Real servers of `drStage`, from 1. */
export const outer = (n: number): string => `10.0.0.${20 + n}`;
export const outer6 = (n: number): string => `fd00::${20 + n}`;

/** The hosts of a virtual server's picture. Nothing of the virtual server itself is set up: that is the story's. */
export interface Stage {
  readonly scene: Scene;
  readonly lan: Link;
  readonly director: Host;
  readonly user: Host;
  /** rs1, rs2 ... */
  readonly servers: readonly Host[];
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

function frontOf(scene: Scene): Omit<Stage, 'servers'> {
  const lan = scene.link('lan');
  const director = scene.host('director').on(lan, `${DIRECTOR}/24`, 'fd00::2/64');
  const user = scene.host('user').on(lan, '10.0.0.10/24', 'fd00::10/64');
  return { scene, lan, director, user };
}

/** LVS-NAT: the real servers are on a network of their own behind the director, which is their way out. */
export function natStage(count: number): Stage & { readonly rack: Link } {
  const scene = new Scene();
  const front = frontOf(scene);
  const rack = scene.link('rack');
  front.director.on(rack, '192.168.1.1/24', 'fd01::1/64').forwarding();
  const servers = numbers(count).map((n) =>
    scene
      .host(`rs${n}`)
      .on(rack, `${inner(n)}/24`, `${inner6(n)}/64`)
      .via('192.168.1.1')
      .via('fd01::1'),
  );
  return { ...front, rack, servers };
}

/** LVS-DR: user, director and real servers on one segment. */
export function drStage(count: number): Stage {
  const scene = new Scene();
  const front = frontOf(scene);
  const servers = numbers(count).map((n) =>
    scene.host(`rs${n}`).on(front.lan, `${outer(n)}/24`, `${outer6(n)}/64`),
  );
  return { ...front, servers };
}
