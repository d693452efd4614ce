import type { DeviceSettings } from '../../fence/agent.ts';
import type { FencingSettings } from '../../fence/settings.ts';
import type { WatchdogSettings } from '../../fence/watchdog.ts';
import { seconds } from '../../time.ts';
import type { AgentFacts } from '../facts.ts';
import type { fencing } from '../grammar/fence.ts';
import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import { nearest } from '../spelling.ts';
import { type Entry, Section } from '../tree.ts';
import { type Context, Names, unknownName } from './context.ts';

type DeviceEntry = Entry<(typeof root)['fence_device']>;

const DEFAULTS = { timeout: seconds(60), retries: 1, delay: seconds(0), monitor: seconds(60), level: 1 };
const WATCHDOG_TIMEOUT = seconds(10);
/** Given by the daemon itself, or only for people. */
const NOT_OPTIONS = ['action', 'help', 'version'];

/** The blocks `fence_device` and `fencing`; `undefined` without a device. `directors` are those of `heartbeat`. */
export function buildFencing(
  file: Section<typeof root>,
  directors: readonly string[],
  context: Context,
): FencingSettings | undefined {
  const { findings } = context;
  const names = new Names('fence_device', findings);
  const devices = file.all('fence_device').flatMap((entry) => {
    const isNew = names.add(entry.values[0], entry.keyword);
    const device = buildDevice(entry, directors, context);
    return isNew && device !== undefined ? [device] : [];
  });
  const blocks = file.all('fencing');
  const [first] = blocks;
  const section: Section<typeof fencing> = Section.joined(blocks);
  const alone = ['notify', 'smtp_alert', 'watchdog'] as const;
  if (first !== undefined && !file.has('fence_device') && !alone.some((word) => section.has(word)))
    findings.warning(first.keyword, 'fencing without a fence_device does nothing');
  if (devices.length === 0) return undefined;
  return {
    devices,
    startup: section.value('startup_alone') ?? 'wait',
    onFailure: section.value('on_fence_failure') ?? 'wait',
  };
}

/** `watchdog` in the block `fencing`; `undefined` without it. */
export function buildWatchdog(file: Section<typeof root>): WatchdogSettings | undefined {
  const section: Section<typeof fencing> = Section.joined(file.all('fencing'));
  const [device, timeout = WATCHDOG_TIMEOUT] = section.last('watchdog')?.values ?? [];
  return device === undefined ? undefined : { device, timeout };
}

function buildDevice(
  entry: DeviceEntry,
  directors: readonly string[],
  context: Context,
): DeviceSettings | undefined {
  const { findings } = context;
  const { section, keyword } = entry;
  const [name] = entry.values;
  const [agent, target] = [section.value('agent'), section.value('target')];
  for (const missing of ['agent', 'target'] as const) {
    if (!section.has(missing) && !section.damaged)
      findings.error(keyword, `fence_device ${name} has no ${missing}`);
  }
  if (agent === undefined || target === undefined) return undefined;
  if (!directors.includes(target))
    unknownName(findings, section.token('target') ?? keyword, 'director', target, directors);
  const parameters = parametersOf(entry, context);
  checkAgent(entry, agent, parameters, context);
  return {
    name,
    agent,
    target,
    parameters,
    level: section.value('level') ?? DEFAULTS.level,
    action: section.value('action') ?? 'off',
    verify: section.value('verify') ?? true,
    timeout: section.value('timeout') ?? DEFAULTS.timeout,
    retries: section.value('retries') ?? DEFAULTS.retries,
    delay: section.value('delay') ?? DEFAULTS.delay,
    monitor: section.value('monitor') ?? DEFAULTS.monitor,
  };
}

function parametersOf(
  { section }: DeviceEntry,
  { findings, facts, reader }: Context,
): Record<string, string> {
  const parameters: Record<string, string> = {};
  const add = (name: string, value: string, at: Token): void => {
    if (Object.hasOwn(parameters, name)) findings.error(at, `${name} is given twice`);
    parameters[name] = value;
  };
  for (const { values, keyword } of section.all('parameter')) add(values[0], values[1], keyword);
  for (const { values, keyword, words } of section.all('parameter_file')) {
    const [name, path] = values;
    const file = reader.read(path);
    const at = words[1] ?? keyword;
    if (file.kind !== 'text') findings.error(at, `${name} cannot be read: ${path} ${file.problem}`);
    else if (facts.isExposed(path))
      findings.warning(at, `others than its owner can read ${path}`, { hint: `chmod 600 ${path}` });
    add(name, file.kind === 'text' ? (file.text.split('\n')[0]?.trim() ?? '') : '', keyword);
  }
  return parameters;
}

/** The agent says itself what it takes: its metadata. */
function checkAgent(
  { section, keyword }: DeviceEntry,
  agent: string,
  parameters: Readonly<Record<string, string>>,
  { findings, facts }: Context,
): void {
  const at = section.last('agent')?.words[0] ?? keyword;
  const known = facts.fenceAgent(agent);
  if (known === undefined) return;
  if (known.kind === 'bad') {
    findings.error(at, `${agent} is no fence agent: ${known.problem}`, {
      hint: 'apt-get install fence-agents; dnf install fence-agents-all',
    });
    return;
  }
  for (const { values, words, keyword: word } of [
    ...section.all('parameter'),
    ...section.all('parameter_file'),
  ])
    checkParameter(agent, values[0], parameters[values[0]] ?? '', known, words[0] ?? word, findings);
  const action = section.value('action') ?? 'off';
  if (!known.actions.includes(action))
    findings.error(section.token('action') ?? at, `${agent} cannot do ${action}`, {
      hint: `it can do ${known.actions.join(', ')}`,
    });
  if (!known.actions.includes('status') && section.value('verify') !== false)
    findings.error(at, `${agent} has no status: nobody can see whether it did its work`, {
      hint: 'write verify off where its word is to count',
    });
  for (const { name, required, deprecated, obsoletes } of known.parameters) {
    // The old word is as good, and asks for nothing itself.
    const given = [name, obsoletes].some((word) => word !== undefined && Object.hasOwn(parameters, word));
    if (required && !deprecated && !given && !NOT_OPTIONS.includes(name))
      findings.error(at, `${agent} needs parameter ${name}`);
  }
}

function checkParameter(
  agent: string,
  name: string,
  value: string,
  { parameters }: Extract<AgentFacts, { kind: 'good' }>,
  at: Token,
  findings: Context['findings'],
): void {
  const spec = parameters.find((each) => each.name === name);
  if (NOT_OPTIONS.includes(name)) {
    findings.error(at, `${name} is not to be set here`);
  } else if (spec === undefined) {
    const near = nearest(
      name,
      parameters.map((each) => each.name),
    );
    findings.error(at, `${agent} has no parameter ${name}`, {
      hint: near === undefined ? `${agent} -o metadata lists them` : `did you mean ${near}?`,
    });
  } else if (['integer', 'second'].includes(spec.type) && !/^-?\d+$/.test(value)) {
    findings.error(at, `${agent}: ${name} is a whole number`);
  } else if (spec.type === 'boolean' && !/^(?:0|1|true|false|yes|no|on|off)$/i.test(value)) {
    findings.error(at, `${agent}: ${name} is 1 or 0`);
  } else if (spec.type === 'select' && !spec.choices.includes(value)) {
    findings.error(at, `${agent}: ${name} is one of ${spec.choices.join(', ')}`);
  }
}
