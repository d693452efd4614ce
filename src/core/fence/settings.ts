import { type Family, familyOf, type Ip } from '../ip.ts';
import type { Duration } from '../time.ts';
import type { DeviceSettings } from './agent.ts';
import type { FailurePolicy } from './device.ts';

/** Where a node of a cluster is reached: any of its addresses will do. */
export interface NodeSettings {
  readonly name: string;
  readonly addresses: readonly Ip[];
}

/** An etcd cluster that is the witness, and how it is reached. Paths are of PEM files, and of a password in a line. */
export interface EtcdSettings {
  readonly name: string;
  /** `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly endpoints: readonly string[];
  /** What its keys begin with. */
  readonly prefix: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly user?: string;
  readonly passwordFile?: string;
}

/** The blocks `heartbeat` and `witness`: who votes on who may hold the virtual addresses. */
export interface ClusterSettings {
  readonly cluster: string;
  /** Which of the directors this one is. */
  readonly name: string;
  /** In the order of the file, which is the same on each of them. */
  readonly directors: readonly NodeSettings[];
  /** At most one of `witness` and `etcd`: the last vote of an even number of directors. */
  readonly witness?: NodeSettings & { readonly port: number };
  readonly etcd?: EtcdSettings;
  /** The UDP port of the directors. */
  readonly port: number;
  readonly keyFile: string;
  /** Between two heartbeats. */
  readonly interval: Duration;
  /** No promise is longer, and who starts is silent as long. */
  readonly longest: Duration;
  /** How much faster one clock may go than another: 0.01 is one percent. */
  readonly margin: number;
}

/** What a director may do with one that it has not heard since its own start: `startup_alone`. */
export type Startup = 'wait' | 'fence' | 'take';

/** The blocks `fence_device` and `fencing`. */
export interface FencingSettings {
  readonly devices: readonly DeviceSettings[];
  readonly startup: Startup;
  /** When no device works. */
  readonly onFailure: FailurePolicy;
}

/** Of the same, what the VRRP process knows: who can be switched off. */
export interface FencingTargets {
  readonly targets: readonly string[];
  readonly startup: Startup;
  /** Of routers and groups that say nothing of it. */
  readonly onFailure: FailurePolicy;
}

/** With fewer voters the loss of one is the loss of the majority: nobody could ever take over. */
export const VOTERS_LEAST = 3;

/** What the last vote of an even number of directors is called, where there is one. */
export const witnessName = ({
  witness,
  etcd,
}: Pick<ClusterSettings, 'witness' | 'etcd'>): string | undefined => (witness ?? etcd)?.name;

export const votersOf = (settings: ClusterSettings): number =>
  settings.directors.length + (witnessName(settings) === undefined ? 0 : 1);

/** Whether votes decide who may hold the addresses: a majority outlives the loss of one voter, or losers are fenced. */
export const decides = (cluster: ClusterSettings | undefined, fences: boolean): boolean =>
  cluster !== undefined && (votersOf(cluster) >= VOTERS_LEAST || fences);

/**
 * Whether promises have an end. Two voters are no majority without each other: there, who holds keeps it until it lets
 * go or is switched off.
 */
export const endsByItself = (cluster: ClusterSettings): boolean => votersOf(cluster) >= VOTERS_LEAST;

/** The families of the addresses of all others. */
export function familiesOf({ directors, name, witness }: ClusterSettings): ReadonlySet<Family> {
  const others = [...directors.filter((director) => director.name !== name), ...(witness ? [witness] : [])];
  return new Set(others.flatMap(({ addresses }) => addresses.map(familyOf)));
}

/** Who of the others has that address; where there is one other, that one has all that is not ours. */
export function directorAt({ directors, name }: ClusterSettings, address: Ip): string | undefined {
  const others = directors.filter((director) => director.name !== name);
  const found = others.find(({ addresses }) => addresses.includes(address));
  return (found ?? (others.length === 1 ? others[0] : undefined))?.name;
}

/** Every path to a director or the witness; none to anybody else. */
export function placesOf(
  { directors, witness, port }: ClusterSettings,
  to: string,
): { readonly address: Ip; readonly port: number }[] {
  if (witness?.name === to) return witness.addresses.map((address) => ({ address, port: witness.port }));
  const addresses = directors.find(({ name }) => name === to)?.addresses ?? [];
  return addresses.map((address) => ({ address, port }));
}
