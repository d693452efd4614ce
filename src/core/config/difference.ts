import { poolName } from '../balance/pool.ts';
import { counted } from '../counted.ts';
import { endpointName, isLinkLocal } from '../ip.ts';
import type { VirtualServerSettings } from '../serving/settings.ts';
import type { Configuration } from './model.ts';

/** Named things of one kind, each with all that counts of it. */
type Named = ReadonlyMap<string, unknown>;

/** What is counted, in this order: one and several of them. */
const COUNTED: readonly {
  readonly one: string;
  readonly many: string;
  readonly of: (configuration: Configuration) => Named;
}[] = [
  { one: 'virtual router', many: 'virtual routers', of: routersOf },
  { one: 'sync group', many: 'sync groups', of: ({ groups }) => byName(groups) },
  { one: 'virtual server', many: 'virtual servers', of: serversOf },
  { one: 'real server', many: 'real servers', of: realServersOf },
  { one: 'tracked script', many: 'tracked scripts', of: ({ scripts }) => byName(scripts) },
  { one: 'tracked file', many: 'tracked files', of: ({ files }) => byName(files) },
  { one: 'tracked process', many: 'tracked processes', of: ({ processes }) => byName(processes) },
  { one: 'BFD session', many: 'BFD sessions', of: ({ bfd }) => byName(bfd) },
];

/** What is only said to be another. */
const WHOLE: readonly (readonly [words: string, of: (configuration: Configuration) => unknown])[] = [
  ['global settings', ({ global }) => global],
  ['pacing of announcements', ({ pacing, delays }) => [pacing, delays]],
  ['notifications', ({ notify }) => notify],
  ['routes and rules', ({ routing, statics }) => [routing, statics]],
  ['connection sync', ({ syncDaemon }) => syncDaemon],
  ['the cluster', ({ cluster }) => cluster],
  ['fencing', ({ fencing }) => fencing],
];

/**
 * What a reload changes, in one line: "1 virtual server changed, 2 real servers added; no VIP moved", or "nothing
 * changed".
 */
export function difference(before: Configuration, after: Configuration): string {
  const counts = COUNTED.flatMap(({ one, many, of }) => changesOf(of(before), of(after), one, many));
  const others = WHOLE.filter(([, of]) => !same(of(before), of(after))).map(([words]) => `${words} changed`);
  const changes = [...counts, ...others];
  if (changes.length === 0) return 'nothing changed';
  const vips = moves(vipsOf(before), vipsOf(after));
  return [changes.join(', '), ...vips].join('; ');
}

/** What a reload has not read again is the same object: thousands of them cost nothing. */
const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

function changesOf(before: Named, after: Named, one: string, many: string): string[] {
  const kinds = {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: changedIn(before, after),
  };
  return Object.entries(kinds).flatMap(([how, { length }]) =>
    length === 0 ? [] : [`${counted(length, one, many)} ${how}`],
  );
}

const changedIn = (before: Named, after: Named): string[] =>
  [...after.keys()].filter((name) => before.has(name) && !same(before.get(name), after.get(name)));

/** A VIP has moved when another virtual router has it, or has it on another interface. */
function moves(before: Named, after: Named): string[] {
  if (before.size === 0 && after.size === 0) return [];
  const { length } = changedIn(before, after);
  const counts = changesOf(keysOf(before), keysOf(after), 'VIP', 'VIPs');
  const moved = length === 0 ? 'no VIP moved' : `${counted(length, 'VIP')} moved`;
  return [[...counts, moved].join(', ')];
}

const keysOf = (named: Named): Named => new Map([...named.keys()].map((name) => [name, 0]));

const byName = (list: readonly { readonly name: string }[]): Named =>
  new Map(list.map((each) => [each.name, each]));

function routersOf({ instances }: Configuration): Named {
  return byName(instances);
}

function vipsOf({ instances }: Configuration): Named {
  return new Map(
    instances.flatMap(({ name, interface: own, addresses, excluded }) =>
      [...addresses, ...excluded].map(({ address: { ip }, dev = own }) => [
        isLinkLocal(ip) ? `${ip}%${dev}` : ip,
        [name, dev],
      ]),
    ),
  );
}

/** Real servers are counted for themselves. */
function serversOf({ virtualServers }: Configuration): Named {
  return new Map(virtualServers.map((settings) => [poolName(settings), withoutServers(settings)]));
}

/** The same object for the same settings. */
const bare = new WeakMap<VirtualServerSettings, unknown>();
function withoutServers(settings: VirtualServerSettings): unknown {
  const known = bare.get(settings) ?? { ...settings, realServers: [] };
  bare.set(settings, known);
  return known;
}

function realServersOf({ virtualServers }: Configuration): Named {
  return new Map(
    virtualServers.flatMap((settings) =>
      settings.realServers.map((server) => {
        const { address, port } = server.destination;
        return [`${poolName(settings)} ${endpointName(address, port)}`, server];
      }),
    ),
  );
}
