import type { Destination, Service } from '../../balance/model.ts';
import type { MaintenanceWindow } from '../../balance/orders.ts';
import { endpointName, familyOf, isLoopback } from '../../ip.ts';
import type { RealServerSettings } from '../../serving/settings.ts';
import { type Duration, seconds } from '../../time.ts';
import type { Facts } from '../facts.ts';
import type { Findings } from '../findings.ts';
import type { virtualServer } from '../grammar/virtual.ts';
import type { Token } from '../lex.ts';
import type { Span } from '../source.ts';
import type { Entry } from '../tree.ts';
import { inherited } from './check.ts';
import { buildChecks, type CheckGlobals, hasChecks } from './checks.ts';
import type { Context } from './context.ts';
import { type Forwarding, forwardingOf, portOf } from './forwarding.ts';
import { familyOfKey, type ServiceSection } from './service.ts';

type ServerEntry = Entry<(typeof virtualServer)['real_server']>;

/** What the servers of a block have in common. */
export interface Block {
  readonly section: ServiceSection;
  /** The services that they serve: one, or all of the group. */
  readonly services: readonly Service[];
  readonly grouped: boolean;
  readonly forwarding: Forwarding;
  readonly globals: CheckGlobals;
}

/** A `real_server` block, and what it means. */
export interface BuiltServer {
  readonly entry: ServerEntry;
  readonly settings: RealServerSettings;
}

/** The real servers of a block, each once: the kernel takes the first, also from keepalived. */
export function buildRealServers(block: Block, context: Context): BuiltServer[] {
  const built: BuiltServer[] = [];
  const seen = new Map<string, Token>();
  for (const entry of block.section.all('real_server')) {
    const settings = buildRealServer(entry, block, context);
    const { address, port } = settings.destination;
    const name = endpointName(address, port);
    const first = seen.get(name);
    if (first !== undefined) {
      const related = { what: 'the first is here', span: first };
      const message = `real_server ${name} is there twice: the first counts`;
      context.findings.warning(entry.keyword, message, { related });
      continue;
    }
    seen.set(name, entry.keyword);
    built.push({ entry, settings });
  }
  return built;
}

function buildRealServer(entry: ServerEntry, block: Block, context: Context): RealServerSettings {
  const { section, keyword, words, values } = entry;
  const { findings } = context;
  const [address, written = 0] = values;
  const forwarding = forwardingOf(section.last('lvs_method'), findings) ?? block.forwarding;
  const target = { address, written, forwarding, keyword, words };
  const port = placeServer('real_server', target, block, context);
  const probed = written === 0 ? (commonPort(block.services) ?? 0) : written;
  const { globals, section: service } = block;
  const from = () => inherited(section, service, { address, port: probed }, globals.logAll);
  const checks = hasChecks(section) ? buildChecks(section, from(), globals, context) : [];
  const { upper, lower } = thresholds(entry, context);
  const weight = section.value('weight') ?? service.value('weight') ?? 1;
  return {
    destination: { address, port, ...forwarding, weight, upper, lower },
    inhibit: section.value('inhibit_on_failure') ?? service.value('inhibit_on_failure') ?? false,
    checks,
    ...slowStartOf(entry, block, findings),
    ...maintenanceOf(section, findings, context.facts),
  };
}

/** Schedulers that only ask whether a weight is 0 (net/netfilter/ipvs/ip_vs_rr.c and the like). */
const WEIGHTLESS = ['rr', 'lc', 'dh'];

function slowStartOf(
  { section }: ServerEntry,
  { section: service, services }: Block,
  findings: Findings,
): { slowStart?: Duration } {
  const slowStart = section.value('slow_start') ?? service.value('slow_start') ?? seconds(0);
  if (slowStart === 0) return {};
  const scheduler = services[0]?.scheduler ?? '';
  const own = section.token('slow_start');
  const inherits =
    service.all('real_server')[0]?.section === section ? service.token('slow_start') : undefined;
  const at = own ?? inherits;
  if (at !== undefined && WEIGHTLESS.includes(scheduler)) {
    findings.warning(at, `slow_start has no effect: lb_algo ${scheduler} does not look at weights`, {
      hint: 'write lb_algo wrr or wlc',
    });
  }
  return { slowStart };
}

/** The times are the library's to read: what it does not understand is shown where it stands. */
function maintenanceOf(
  section: ServerEntry['section'],
  findings: Findings,
  facts: Facts,
): { maintenance?: MaintenanceWindow[] } {
  const windows = section
    .all('maintenance')
    .map(({ values: [written, length, { weight }], words, keyword }) => {
      const cron = written.trim().replace(/\s+/g, ' ');
      const fault = facts.calendarFault(cron);
      if (fault !== undefined) {
        findings.error(wordWithin(words[0] ?? keyword, fault.word), `maintenance: ${fault.problem}`, {
          hint: 'write [SECOND] MINUTE HOUR DAY MONTH WEEKDAY, as in "0 3 * * 0" for Sundays at 3:00',
        });
      }
      return { cron, length, ...(weight === undefined ? {} : { weight }) };
    });
  return windows.length > 0 ? { maintenance: windows } : {};
}

/** Where one of the words of a quoted text stands; the whole text when it is not found once. */
function wordWithin(text: Token, word: string | undefined): Span {
  const shown = text.line.text.slice(text.start, text.end);
  const [before, ...after] = word === undefined || word === '' ? [] : shown.split(word);
  if (before === undefined || after.length !== 1) return text;
  const start = text.start + before.length;
  return { line: text.line, start, end: start + (word?.length ?? 0) };
}

/** The kernel takes no server with a lower threshold above the upper one, also above none: keepalived has it not. */
function thresholds(
  { section, keyword }: ServerEntry,
  { findings }: Context,
): { upper: number; lower: number } {
  const upper = section.value('uthreshold') ?? 0;
  const lower = section.value('lthreshold') ?? 0;
  if (lower <= upper) return { upper, lower };
  const what = section.has('uthreshold') ? 'lthreshold is above uthreshold' : 'lthreshold needs uthreshold';
  const hint = 'the kernel does not take a server with it: from keepalived it would not serve';
  findings.warning(section.token('lthreshold') ?? keyword, `${what}: it has no effect`, { hint });
  return { upper, lower: 0 };
}

/** The port that all services have: what is checked where a server says none. */
function commonPort(services: readonly Service[]): number | undefined {
  const ports = new Set(services.map(({ key }) => (key.kind === 'address' ? key.port : 0)));
  return ports.size === 1 ? Array.from(ports)[0] : undefined;
}

interface Target {
  readonly address: Destination['address'];
  readonly written: number;
  readonly forwarding: Forwarding;
  readonly keyword: Token;
  readonly words: readonly Token[];
}

/** The port of a server in the table, with the checks of what the kernel allows. */
function placeServer(
  what: 'real_server' | 'sorry_server',
  { address, written, forwarding, keyword, words }: Target,
  { services, grouped }: Block,
  { findings }: Context,
): number {
  const keys = services.map(({ key }) => key);
  const other = keys.find((key) => familyOfKey(key) !== familyOf(address));
  if (forwarding.method !== 'tun' && other !== undefined) {
    findings.error(words[0] ?? keyword, `${what} is of another family than its service`, {
      hint: 'only TUN forwards between families',
    });
  }
  // net/netfilter/ipvs/ip_vs_xmit.c, ip_vs_nat_xmit; by DR the director hands the packet to itself as it is.
  if (forwarding.method === 'nat' && isLoopback(address)) {
    const method = what === 'sorry_server' ? 'sorry_server_lvs_method' : 'lvs_method';
    const message = `the kernel drops what comes from outside and goes to ${address} by NAT`;
    findings.warning(words[0] ?? keyword, message, {
      hint: `write ${method} DR: the director serves itself`,
    });
  }
  return portOf(keys, grouped, forwarding, written, words[1] ?? keyword, findings);
}

/** The sorry server of a block, if it has one. */
export function buildSorry(block: Block, context: Context): Destination | undefined {
  const { section } = block;
  const entry = section.last('sorry_server');
  if (entry === undefined) {
    for (const name of ['sorry_server_lvs_method', 'sorry_server_inhibit'] as const) {
      const alone = section.token(name);
      if (alone !== undefined) {
        context.findings.warning(alone, `${name} has no effect without sorry_server`);
      }
    }
    return undefined;
  }
  const { keyword, words, values } = entry;
  const [address, written = 0] = values;
  const own = forwardingOf(section.last('sorry_server_lvs_method'), context.findings);
  const forwarding = own ?? block.forwarding;
  const placed = placeServer(
    'sorry_server',
    { address, written, forwarding, keyword, words },
    block,
    context,
  );
  // The kernel takes the port of the connection where NAT has none; keepalived leaves it so here.
  const port = forwarding.method === 'nat' ? written : placed;
  return { address, port, ...forwarding, weight: 1, upper: 0, lower: 0 };
}
