import type { Ip } from '../ip.ts';
import { ipToBytes } from '../ip.ts';
import type { IpvsDestinationKey, IpvsServiceKey } from '../netlink/ipvs.ts';
import type { ListedService } from './command.ts';

/**
 * ipvsadm's order of a listing: numbers compared by the sign of their 32-bit difference, so that 192.168.0.1
 * comes before 10.0.0.1 and marks above 2^31 come before everything. That is no order in the mathematical sense,
 * so the result depends on the algorithm: glibc's merge sort, spelled out here.
 */
type Compare<T> = (a: T, b: T) => number;

function mergeSort<T>(items: readonly T[], compare: Compare<T>): readonly T[] {
  if (items.length < 2) return items;
  const middle = items.length >> 1;
  const left = mergeSort(items.slice(0, middle), compare);
  const right = mergeSort(items.slice(middle), compare);
  const merged: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    const [a, b] = [left[l] as T, right[r] as T];
    if (compare(a, b) <= 0) {
      merged.push(a);
      l++;
    } else {
      merged.push(b);
      r++;
    }
  }
  return [...merged, ...left.slice(l), ...right.slice(r)];
}

/** What is sorted, as the numbers that are compared. An IPv4 address has one, followed by three zeros. */
interface Sortable<T> {
  readonly item: T;
  readonly before: readonly number[];
  readonly words: readonly number[];
  /** Of `words`, so many are compared: the first operand's family decides. */
  readonly width: number;
  readonly port: number;
}

function sortable<T>(item: T, before: readonly number[], address: Ip | undefined, port: number): Sortable<T> {
  const bytes = new Uint8Array(16);
  if (address !== undefined) bytes.set(ipToBytes(address));
  const view = new DataView(bytes.buffer);
  const words = [0, 4, 8, 12].map((at) => view.getUint32(at));
  return { item, before, words, width: address?.includes(':') ? 4 : 1, port };
}

const compare = <T>(a: Sortable<T>, b: Sortable<T>): number =>
  firstDifference(a.before, b.before, a.before.length) ||
  firstDifference(a.words, b.words, a.width) ||
  a.port - b.port;

function firstDifference(a: readonly number[], b: readonly number[], count: number): number {
  for (let i = 0; i < count; i++) {
    const difference = ((a[i] ?? 0) - (b[i] ?? 0)) | 0;
    if (difference !== 0) return difference;
  }
  return 0;
}

const sorted = <T>(items: readonly Sortable<T>[]): T[] => mergeSort(items, compare).map(({ item }) => item);

function sortableService(listed: ListedService): Sortable<ListedService> {
  const key: IpvsServiceKey = listed.service.key;
  if ('fwmark' in key) return sortable(listed, [key.fwmark, key.family, 0], undefined, 0);
  return sortable(listed, [0, key.family, key.protocol], key.address, key.port);
}

/** By mark, family, protocol, address, port. */
export const sortServices = (services: readonly ListedService[]): ListedService[] =>
  sorted(services.map(sortableService));

/** By address and port. */
export const sortDestinations = <T extends IpvsDestinationKey>(destinations: readonly T[]): T[] =>
  sorted(destinations.map((destination) => sortable(destination, [], destination.address, destination.port)));
