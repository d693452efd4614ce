import { setTimeout as wait } from 'node:timers/promises';
import type { Place } from '../../core/serving/servernames.ts';
import { drainReport, type ServerReport, serverReport } from '../../core/status/report.ts';
import { parseTime, toMillis } from '../../core/time.ts';
import type { Command } from '../../io/arguments.ts';
import { now } from '../../io/clock.ts';
import { aligned, redrawer } from '../../io/screen.ts';
import { orderWords } from '../standing.ts';
import type { Ordered, OrderedPlace, PlacedStanding } from '../supervisor/orders.ts';
import { ask, type CommonOptions, fail } from './ask.ts';
import { iso } from './look.ts';

/** How often `drain` looks: the connections are counted once a second. */
const LOOK_MS = 500;
/** Looks until the check process should have said something. */
const MAX_LOOKS = 40;
const EXIT_INTERRUPTED = 130;

const EXAMPLES = `
SERVER is an address and port, or an address for all ports: 10.0.0.11:80, 10.0.0.11, [2001:db8::1]:80

Examples:
  vipkeeper drain 10.0.0.11                     everywhere; wait until nobody is connected to it
  vipkeeper drain 10.0.0.11:80 --timeout 10m    remove it after ten minutes at the latest
  vipkeeper undrain 10.0.0.11                   take it back
  vipkeeper weight 10.0.0.11:80 5               until "weight 10.0.0.11:80 default"`;
const SERVICE = [
  '--service <name>',
  'only in this virtual server: 10.0.0.100:80, "fwmark 7", "group web"',
] as const;

const FORCE = ['--force', 'also the last real server of a virtual server that serves'] as const;

interface OrderOptions extends CommonOptions {
  readonly service?: string;
  readonly timeout?: string;
  readonly wait?: boolean;
  readonly force?: boolean;
}

/** `drain`, `undrain` and `weight`: the operator's decisions over real servers. */
export function addDrain(program: Command): void {
  program
    .command('drain <server>')
    .description('give a real server no new connections, and take it out when those that it has are over')
    .option(...SERVICE)
    .option('--timeout <time>', 'take it out after this time at the latest: 90s, 10m, 1h30m')
    .option('--no-wait', 'do not show how the connections end')
    .option(...FORCE)
    .option('--json', 'each change as a line of data')
    .addHelpText('after', EXAMPLES)
    .action(async (server: string, _options, self) => drain(server, self.optsWithGlobals()));
  program
    .command('undrain <server>')
    .description('take a drained real server back, by slow_start if it has that')
    .option(...SERVICE)
    .option('--json', 'as data')
    .addHelpText('after', EXAMPLES)
    .action(async (server: string, _options, self) => {
      await order(self.optsWithGlobals(), { verb: 'undrain', server }, undrained);
    });
  program
    .command('weight <server> <weight>')
    .description('weigh a real server, whatever configuration and checks say; default: as those say')
    .option(...SERVICE)
    .option(...FORCE)
    .option('--json', 'as data')
    .addHelpText('after', EXAMPLES)
    .action(async (server: string, word: string, _options, self) => {
      if (word !== 'default' && !/^\d{1,10}$/.test(word))
        fail(`a weight is a whole number, or default; not "${word}"`);
      const weight = word === 'default' ? null : Number(word);
      await order(self.optsWithGlobals(), { verb: 'weight', server, weight }, weighed);
    });
}

async function order(
  options: OrderOptions,
  request: object,
  done: (place: OrderedPlace) => string,
): Promise<void> {
  const { service, json, force } = options;
  const answer = (await ask(options, { ...request, service, force })) as Ordered;
  if (json) process.stdout.write(`${JSON.stringify({ servers: answer.servers.map(orderedReport) })}\n`);
  else for (const place of answer.servers) process.stdout.write(`${placeName(place)} ${done(place)}\n`);
}

function undrained({ changed, order: left }: OrderedPlace): string {
  if (left?.drain !== undefined) return 'stays drained: a maintenance window is open';
  return changed ? 'is back' : 'was not drained';
}

function weighed({ order: now }: OrderedPlace): string {
  const own = now?.weight === undefined ? 'has its own weight again' : `has weight ${now.weight}`;
  if (now?.drain !== undefined) return `${own}, when it is not drained any more`;
  return now?.limit === undefined ? own : `${own}, and no more than ${now.limit} in a maintenance window`;
}

async function drain(server: string, options: OrderOptions): Promise<void> {
  const length = options.timeout === undefined ? undefined : parseTime(options.timeout);
  if (options.timeout !== undefined && length === undefined) {
    fail(`--timeout is a time such as 90s, 10m or 1h30m; not "${options.timeout}"`);
  }
  const { service, force } = options;
  const timeout = length === undefined ? {} : { timeout: toMillis(length) };
  const request = { verb: 'drain', server, service, force, ...timeout };
  if (options.wait === false) return order(options, request, () => 'drains');
  const { servers } = (await ask(options, request)) as Ordered;
  process.on('SIGINT', () => {
    process.stderr.write(`\nthe drain goes on in the daemon; vipkeeper undrain ${server} takes it back\n`);
    process.exit(EXIT_INTERRUPTED);
  });
  await follow(servers, server, options);
}

/** Shows how the connections end, until all of the servers are drained. */
async function follow(places: readonly Place[], server: string, options: OrderOptions): Promise<void> {
  const { service, json } = options;
  const show = json ? jsonLines() : process.stdout.isTTY ? onScreen() : plainLines();
  const wanted = new Set(places.map(placeName));
  const seen = new Set<string>();
  for (let looks = 0; ; looks++) {
    const all = (await ask(options, { verb: 'servers', server, service })) as readonly PlacedStanding[];
    const shown = all.filter((each) => wanted.has(placeOf(each)));
    for (const each of shown) if (each.drain !== undefined) seen.add(placeOf(each));
    const over = shown.filter((each) => each.drain === undefined && seen.has(placeOf(each)));
    if (over.length > 0) fail(`${over.map(placeOf).join(', ')}: somebody has taken it back`);
    if (shown.length < seen.size) fail('the configuration has no such server any more');
    if (seen.size === 0 && looks > MAX_LOOKS)
      fail('it is kept, but no check process carries it out: vipkeeper status');
    if (seen.size === wanted.size) show(shown);
    const done = shown.filter(({ drain }) => drain?.phase === 'drained');
    if (done.length === wanted.size) return sayQuorum(shown);
    await wait(LOOK_MS);
  }
}

function sayQuorum(shown: readonly PlacedStanding[]): void {
  for (const { service, quorum, sorry } of shown) {
    const who = sorry ? 'its sorry server serves' : 'it has no sorry server';
    if (!quorum) process.stderr.write(`vipkeeper: ${service} is without its quorum now: ${who}\n`);
  }
}

const reported = (each: PlacedStanding): ServerReport => serverReport(each, iso);

/** As data: times are ISO 8601. */
function orderedReport({ order, ...place }: OrderedPlace) {
  if (order?.drain === undefined) return { ...place, ...(order && { order }) };
  return { ...place, order: { ...order, drain: drainReport(order.drain, iso) } };
}

const placeName = ({ server, service }: Place): string => `${server} of ${service}`;
const placeOf = ({ name, service }: PlacedStanding): string => placeName({ server: name, service });

type Show = (shown: readonly PlacedStanding[]) => void;

/** On a terminal: always the latest. */
function onScreen(): Show {
  const draw = redrawer();
  return (shown) =>
    draw(aligned(shown.map((each) => [placeOf(each), orderWords(reported(each), iso(now()))])));
}

/** A line whenever the connections of a server have changed. */
const plainLines = (): Show =>
  onChange((each) => `${placeOf(each)}: ${orderWords(reported(each), iso(now()))}`);

const jsonLines = (): Show =>
  onChange(({ name, service, quorum, sorry, drain }) =>
    JSON.stringify({ server: name, service, quorum, sorry, ...(drain && drainReport(drain, iso)) }),
  );

function onChange(line: (each: PlacedStanding) => string): Show {
  const last = new Map<string, string>();
  return (shown) => {
    for (const each of shown) {
      const [place, state] = [placeOf(each), `${each.drain?.phase} ${each.drain?.connections}`];
      if (each.drain?.connections === undefined && each.drain?.phase !== 'drained') continue;
      if (last.get(place) === state) continue;
      last.set(place, state);
      process.stdout.write(`${line(each)}\n`);
    }
  };
}
