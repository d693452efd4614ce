/**
 * The schedulers of IPVS by their definitions (ipvsadm(8), the kernel's descriptions): which server gets the next
 * connection, from the connections made so far.
 */
export interface Server {
  readonly name: string;
  readonly weight: number;
  active: number;
  inactive: number;
}

export interface Visit {
  readonly from: string;
  readonly to: string;
}

/** The server for a new connection; undefined when none takes it. Servers come in the kernel's order. */
export type Scheduler = (servers: readonly Server[], visit: Visit) => Server | undefined;

/** An established connection costs the kernel as much as 256 that have ended. */
const ACTIVE_COST = 256;

const willing = (servers: readonly Server[]): Server[] => servers.filter(({ weight }) => weight > 0);

/** The first of those with the least load for its weight. */
const least = (servers: readonly Server[], load: (server: Server) => number): Server | undefined =>
  willing(servers).reduce<Server | undefined>(
    (best, one) => (best === undefined || load(one) * best.weight < load(best) * one.weight ? one : best),
    undefined,
  );

const heaviest = (servers: readonly Server[]): Server | undefined =>
  willing(servers).reduce<Server | undefined>(
    (best, one) => (best === undefined || one.weight > best.weight ? one : best),
    undefined,
  );

const connections = ({ active, inactive }: Server): number => active * ACTIVE_COST + inactive;
const expectedDelay = ({ active }: Server): number => active + 1;

/**
 * Round robin by weight: a cycle has as many rounds as the greatest weight, and each server comes in as many of them
 * as its own. The kernel begins with the last round, in which all come.
 */
function weightedRoundRobin(): Scheduler {
  let [place, round] = [-1, 2];
  return (servers) => {
    const most = Math.max(0, ...servers.map(({ weight }) => weight));
    if (most === 0) return undefined;
    for (;;) {
      place = (place + 1) % servers.length;
      if (place === 0) round = round <= 1 ? most : round - 1;
      const server = servers[place];
      if (server !== undefined && server.weight >= round) return server;
    }
  };
}

const roundRobin = (): Scheduler => {
  const turns = weightedRoundRobin();
  return (servers, visit) => {
    const alike = servers.map((server) => ({ ...server, weight: Math.min(server.weight, 1) }));
    const { name } = turns(alike, visit) ?? {};
    return servers.find((server) => server.name === name);
  };
};

const leastConnection = (servers: readonly Server[]): Server | undefined => least(servers, connections);

/** More connections than its weight while another has fewer than half of its own. */
const isOverloaded = (server: Server, servers: readonly Server[]): boolean =>
  server.active > server.weight && servers.some(({ active, weight }) => active * 2 < weight);

/** Locality: a destination stays with its server, unless that is overloaded. */
function locality(): Scheduler {
  const cached = new Map<string, string>();
  return (servers, { to }) => {
    const known = servers.find(({ name }) => name === cached.get(to));
    if (known !== undefined && known.weight > 0 && !isOverloaded(known, servers)) return known;
    const server = leastConnection(servers);
    if (server !== undefined) cached.set(to, server.name);
    return server;
  };
}

/** The same with a set of servers for a destination, which grows when its best one is overloaded. */
function localityWithReplication(): Scheduler {
  const sets = new Map<string, Set<string>>();
  return (servers, { to }) => {
    const set = sets.get(to) ?? new Set();
    const known = leastConnection(servers.filter(({ name }) => set.has(name)));
    if (known !== undefined && !isOverloaded(known, servers)) return known;
    const server = leastConnection(servers);
    if (server !== undefined) sets.set(to, set.add(server.name));
    return server;
  };
}

const HASH_BUCKETS = 256;
/** 2^32 divided by the golden ratio, as the kernel multiplies with it to hash. */
const GOLDEN = 0x61c88647;

function bucketOf(address: string): number {
  const number = address.split('.').reduce((sum, byte) => (sum << 8) | Number(byte), 0);
  return Math.imul(number, GOLDEN) >>> 24;
}

/** An address has a bucket; the servers take the buckets in turn, each as many as its weight says. */
const hashed =
  (addressOf: (visit: Visit) => string, isWeighted: boolean): Scheduler =>
  (servers, visit) => {
    const turns = servers.flatMap((server) => Array<Server>(isWeighted ? server.weight : 1).fill(server));
    return turns[(bucketOf(addressOf(visit)) % HASH_BUCKETS) % turns.length];
  };

/** A scheduler as it begins, by its name in the kernel. */
export const SCHEDULERS: Readonly<Record<string, () => Scheduler>> = {
  rr: roundRobin,
  wrr: weightedRoundRobin,
  lc: () => (servers) => {
    const alike = willing(servers).map((server) => ({ ...server, weight: 1 }));
    const name = leastConnection(alike)?.name;
    return servers.find((server) => server.name === name);
  },
  wlc: () => leastConnection,
  sed: () => (servers) => least(servers, expectedDelay),
  nq: () => (servers) => willing(servers).find(({ active }) => active === 0) ?? least(servers, expectedDelay),
  fo: () => heaviest,
  ovf: () => (servers) => heaviest(servers.filter(({ active, weight }) => active <= weight)),
  sh: () => hashed(({ from }) => from, true),
  dh: () => hashed(({ to }) => to, false),
  lblc: locality,
  lblcr: localityWithReplication,
};
