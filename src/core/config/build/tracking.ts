import { type Duration, micros, seconds } from '../../time.ts';
import type { ScriptSettings, TrackFileSettings, TrackProcessSettings } from '../../track/settings.ts';
import type { TrackKind, TrackSettings } from '../../vrrp/settings.ts';
import { TRACK_KINDS } from '../../vrrp/settings.ts';
import { Findings } from '../findings.ts';
import type { root } from '../grammar/root.ts';
import { headerText } from '../grammar/service.ts';
import type { TrackLine, trackLists } from '../grammar/tracking.ts';
import type { Token } from '../lex.ts';
import type { Entry, Item, Section } from '../tree.ts';
import { audienceOf } from './bfd.ts';
import { type Context, Names, unknownName } from './context.ts';
import { runnerOf, scriptCommand } from './script.ts';

type File = Section<typeof root>;

/** The block of each kind. */
const BLOCKS = {
  script: 'vrrp_script',
  file: 'track_file',
  process: 'vrrp_track_process',
  bfd: 'bfd_instance',
  quorum: 'virtual_server',
} as const;

/** What a block says to the lines that track it. */
interface Watched {
  readonly weight: number;
  readonly reverse: boolean;
  readonly at: Token;
  /** A BFD session that tells virtual routers nothing. */
  silent: boolean;
  /** A script that cannot run: that has been said where it stands. */
  readonly isOff?: boolean;
}

/** Everything that can be tracked by name. */
export class Watchables {
  readonly #context: Context;
  readonly #byKind = new Map<TrackKind, Map<string, Watched>>();

  constructor(file: File, context: Context) {
    this.#context = context;
    for (const kind of ['script', 'process', 'file', 'bfd'] as const) {
      const found = new Map<string, Watched>();
      for (const { section, keyword, values } of file.all(BLOCKS[kind])) {
        if (found.has(values[0])) continue;
        const [weight = kind === 'file' ? 1 : 0, word] = section.last('weight')?.values ?? [];
        found.set(values[0], { weight, reverse: word === 'reverse', at: keyword, silent: false });
      }
      this.#byKind.set(kind, found);
    }
    const services = file.all('virtual_server').map(({ keyword, values }): [string, Watched] => {
      return [headerText(values[0]), { weight: 0, reverse: false, at: keyword, silent: false }];
    });
    this.#byKind.set('quorum', new Map(services));
    for (const entry of file.all('vrrp_script')) {
      const script = this.#byKind.get('script')?.get(entry.values[0]);
      const isOff = buildScript(entry, { ...context, findings: new Findings() }) === undefined;
      if (script !== undefined && isOff)
        this.#byKind.get('script')?.set(entry.values[0], { ...script, isOff });
    }
    for (const { section, values } of file.all('bfd_instance')) {
      const session = this.#byKind.get('bfd')?.get(values[0]);
      if (session !== undefined) session.silent = audienceOf(section) === 'checker';
    }
  }

  /** The trackers of an instance or a group, whose block is `owner`'s. */
  track(section: Section<typeof trackLists>, owner: Token): TrackSettings[] {
    return TRACK_KINDS.flatMap((kind) => {
      const seen = new Map<string, Token>();
      return section.items(`track_${kind}`).flatMap((item) => this.#line(kind, item, owner, seen));
    });
  }

  #line(kind: TrackKind, { value, at }: Item<TrackLine>, owner: Token, seen: Map<string, Token>) {
    const { findings } = this.#context;
    const first = seen.get(value.name);
    if (first !== undefined) {
      const related = { what: 'the first is here', span: first };
      findings.warning(at, `${value.name} is tracked twice: the first counts`, { related });
      return [];
    }
    seen.set(value.name, at);
    const from = kind === 'interface' ? undefined : this.#find(kind, value.name, at, owner);
    if (kind !== 'interface' && (from === undefined || from.isOff === true)) return [];
    if (from?.silent)
      findings.warning(at, `bfd_instance ${value.name} is for checkers only: it is never heard of here`, {
        hint: `write vrrp in bfd_instance ${value.name} too`,
      });
    const weight = value.weight ?? from?.weight ?? 0;
    const reverse = value.reverse ?? from?.reverse ?? false;
    return [{ kind, name: value.name, weight, reverse }];
  }

  /** The block of a name; keepalived knows it only when it stands above. */
  #find(kind: keyof typeof BLOCKS, name: string, at: Token, owner: Token): Watched | undefined {
    const { findings, order } = this.#context;
    const known = this.#byKind.get(kind);
    const found = known?.get(name);
    if (found === undefined) {
      unknownName(findings, at, BLOCKS[kind], name, known?.keys() ?? []);
    } else if (kind !== 'quorum' && (order.get(found.at) ?? 0) > (order.get(owner) ?? 0)) {
      findings.warning(at, `keepalived would not find ${BLOCKS[kind]} ${name}: it is defined further down`, {
        hint: 'put it above, so that the file means the same there',
        related: { what: 'it is here', span: found.at },
      });
    }
    return found;
  }
}

/** All `vrrp_script` blocks. */
export function buildScripts(file: File, context: Context): ScriptSettings[] {
  const names = new Names('vrrp_script', context.findings);
  return file.all('vrrp_script').flatMap((entry) => {
    const isNew = names.add(entry.values[0], entry.keyword);
    const settings = buildScript(entry, context);
    return isNew && settings !== undefined ? [settings] : [];
  });
}

function buildScript(
  { section, keyword, values }: Entry<(typeof root)['vrrp_script']>,
  context: Context,
): ScriptSettings | undefined {
  const [name] = values;
  const script = section.last('script');
  if (script === undefined) {
    if (!section.has('script') && !section.damaged)
      context.findings.warning(keyword, `vrrp_script ${name} has no script: it is left out`);
    return undefined;
  }
  const own = section.last('user');
  const user = own && runnerOf(own.values, context.facts);
  if (user !== undefined && 'missing' in user) {
    const message = `there is no user ${user.missing.join(' ')}`;
    const hint = `keepalived removes vrrp_script ${name}, and nothing tracks it: so it is here`;
    context.findings.warning(own?.keyword ?? keyword, `${message}: ${name} is not tracked`, { hint });
    return undefined;
  }
  const ran = scriptCommand(script.values[0], script.keyword, 'tracked', {
    ...context,
    ...(user === undefined ? {} : { scriptUser: user }),
  });
  if (ran === undefined) return undefined;
  const who = ran.user ?? user;
  const interval = atLeastOne(section.value('interval') ?? seconds(1));
  const timeout = section.value('timeout');
  return {
    name,
    command: ran.command,
    interval,
    timeout: timeout === undefined ? interval : atLeastOne(timeout),
    rise: section.value('rise') ?? 1,
    fall: section.value('fall') ?? 1,
    ...(who === undefined ? {} : { user: who }),
  };
}

/** keepalived takes 0 as 1 second. */
const atLeastOne = (duration: Duration): Duration => (duration === 0 ? seconds(1) : duration);

/** All `track_file` blocks. */
export function buildFiles(file: File, { findings }: Context): TrackFileSettings[] {
  const names = new Names('track_file', findings);
  return file.all('track_file').flatMap(({ section, keyword, values }) => {
    const [name] = values;
    const isNew = names.add(name, keyword);
    const path = section.value('file');
    if (path === undefined && !section.has('file') && !section.damaged)
      findings.error(keyword, `track_file ${name} has no file`);
    const init = section.value('init_file');
    return isNew && path !== undefined ? [{ name, path, ...(init === undefined ? {} : { init }) }] : [];
  });
}

/** All `vrrp_track_process` blocks. */
export function buildProcesses(file: File, { findings }: Context): TrackProcessSettings[] {
  const names = new Names('vrrp_track_process', findings);
  return file.all('vrrp_track_process').flatMap(({ section, keyword, values }) => {
    const [name] = values;
    const isNew = names.add(name, keyword);
    const sought = section.last('process');
    if (sought === undefined) {
      if (!section.has('process') && !section.damaged)
        findings.error(keyword, `vrrp_track_process ${name} has no process`);
      return [];
    }
    const [command, parameters] = sought.values;
    // Parameters are in the whole command line only: keepalived compares that then.
    const fullCommand = section.has('full_command') || parameters.length > 0;
    if (!fullCommand && command.length > 15) {
      const message = 'the kernel keeps 15 characters of a name: no process is found by this one';
      const hint = 'shorten it, or write full_command';
      findings.warning(sought.words[0] ?? sought.keyword, message, { hint });
    }
    const both = section.value('delay') ?? micros(0);
    const quorumMax = section.value('quorum_max');
    const match = section.has('param_match') ? (section.value('param_match') ?? 'exact') : undefined;
    const settings: TrackProcessSettings = {
      name,
      command,
      ...(parameters.length > 0 || match !== undefined ? { parameters } : {}),
      match: match ?? 'exact',
      quorum: section.value('quorum') ?? 1,
      ...(quorumMax === undefined ? {} : { quorumMax }),
      terminateDelay: section.value('terminate_delay') ?? both,
      forkDelay: section.value('fork_delay') ?? both,
      fullCommand,
    };
    return isNew ? [settings] : [];
  });
}
