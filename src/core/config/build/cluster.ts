import { type ClusterSettings, VOTERS_LEAST, votersOf, witnessName } from '../../fence/settings.ts';
import { type Duration, millis, seconds } from '../../time.ts';
import type { VrrpSettings } from '../../vrrp/settings.ts';
import type { heartbeat } from '../grammar/cluster.ts';
import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import { Section } from '../tree.ts';
import type { Context } from './context.ts';
import { checkKey } from './key.ts';
import { buildWitness } from './witness.ts';

const PORT = 5406;
const LONGEST = seconds(10);
const INTERVAL = { least: millis(25), most: seconds(1) };

/**
 * The cluster of the blocks `heartbeat` and `witness`; `undefined` without them. `instances` are those whose addresses
 * it protects.
 */
export function buildCluster(
  file: Section<typeof root>,
  instances: readonly VrrpSettings[],
  context: Context,
): ClusterSettings | undefined {
  const { findings } = context;
  const blocks = file.all('heartbeat');
  const [at] = blocks.map(({ keyword }) => keyword);
  if (at === undefined) {
    const alone = file.token('witness');
    if (alone !== undefined)
      findings.error(alone, 'a witness needs a heartbeat block', {
        hint: 'it names the directors and the key: vipkeeper.conf(5)',
      });
    return undefined;
  }
  const section: Section<typeof heartbeat> = Section.joined(blocks);
  const directors = section
    .all('director')
    .map(({ values: [director, addresses] }) => ({ name: director, addresses }));
  const keyFile = keyFileOf(section, at, context);
  const name = nameOf(section, at, context);
  if (keyFile === undefined || name === undefined) return undefined;
  const third = buildWitness(file, context);
  const settings: ClusterSettings = {
    cluster: section.value('cluster') ?? 'vipkeeper',
    name,
    directors,
    ...third,
    port: section.value('port') ?? PORT,
    keyFile,
    interval: section.value('interval') ?? intervalFor(instances),
    longest: section.value('longest_promise') ?? LONGEST,
    margin: (section.value('drift_margin') ?? 1) / 100,
  };
  checkVoters(settings, file.has('fence_device'), at, context);
  return settings;
}

/** Four heartbeats in an advert interval: so a promise is always longer than the lease that rests on it. */
function intervalFor(instances: readonly VrrpSettings[]): Duration {
  const shortest = Math.min(...instances.map(({ advertInterval }) => advertInterval / 4));
  const { least, most } = INTERVAL;
  return Math.round(Math.min(most, Math.max(least, shortest))) as Duration;
}

function keyFileOf(section: Section<typeof heartbeat>, at: Token, context: Context): string | undefined {
  const { findings } = context;
  const entry = section.last('key_file');
  if (entry === undefined) {
    if (!section.has('key_file') && !section.damaged)
      findings.error(at, 'heartbeat has no key_file', {
        hint: 'openssl rand -hex 32 > FILE, the same on all',
      });
    return undefined;
  }
  const [path] = entry.values;
  checkKey(path, entry.words[0] ?? entry.keyword, context);
  return path;
}

/** Which director we are: by its name, or by an address of this host. */
function nameOf(section: Section<typeof heartbeat>, at: Token, context: Context): string | undefined {
  const { findings, facts } = context;
  const entries = section.all('director');
  const names = new Set<string>();
  for (const { keyword, values } of entries) {
    const [name] = values;
    if (names.has(name)) findings.error(keyword, `director ${name} is there twice`);
    names.add(name);
  }
  if (entries.length < 2 && !section.damaged)
    findings.error(at, 'heartbeat names fewer than two directors', {
      hint: 'director NAME ADDRESS, for each',
    });
  const written = section.value('name');
  if (written !== undefined) {
    if (!names.has(written))
      findings.error(section.token('name') ?? at, `there is no director ${written} in heartbeat`);
    return written;
  }
  const ours = entries
    .map(({ values: [director, addresses] }) => ({ name: director, addresses }))
    .filter((each) => each.addresses.some(facts.isOwnAddress));
  const [first] = ours;
  if (first !== undefined && ours.length === 1) return first.name;
  if (!section.damaged && entries.length >= 2) {
    const what =
      first === undefined
        ? 'no director'
        : `more than one director (${ours.map((each) => each.name).join(', ')})`;
    findings.error(at, `${what} of heartbeat has an address of this host`, {
      hint: 'write name NAME in heartbeat to say which this one is',
    });
  }
  return undefined;
}

function checkVoters(settings: ClusterSettings, fences: boolean, at: Token, { findings }: Context): void {
  const voters = votersOf(settings);
  const third = witnessName(settings);
  if (settings.directors.some(({ name }) => name === third))
    findings.error(at, `${third} is a director and the witness`);
  if (voters < VOTERS_LEAST && !fences) {
    findings.warning(at, 'two directors alone cannot outvote each other: the addresses are not protected', {
      hint: 'add a witness block (vipkeeper-witness(8)), or a fence_device for each director',
    });
  } else if (voters % 2 === 0 && voters >= VOTERS_LEAST) {
    findings.warning(at, `${voters} voters are no better than ${voters - 1}: half of them is no majority`, {
      hint: third === undefined ? 'add a witness block' : 'remove the witness block',
    });
  }
}
