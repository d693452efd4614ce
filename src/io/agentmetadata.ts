import { spawnSync } from 'node:child_process';
import { XMLParser } from 'fast-xml-parser';
import type { AgentFacts, AgentParameter } from '../core/config/facts.ts';

const LIMIT_MS = 20_000;
const ROOM = 1 << 20;
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  isArray: (name) => ['parameter', 'action', 'option'].includes(name),
});

interface Metadata {
  readonly 'resource-agent'?: {
    readonly parameters?: {
      readonly parameter?: readonly {
        readonly name: string;
        readonly required?: string;
        readonly deprecated?: string;
        readonly obsoletes?: string;
        readonly content?: {
          readonly type?: string;
          readonly option?: readonly { readonly value?: string }[];
        };
      }[];
    };
    readonly actions?: { readonly action?: readonly { readonly name: string }[] };
  };
}

/** What a fence agent says of itself: its parameters and actions (FenceAgentAPI.md, metadata). Waits for it. */
export function agentFacts(agent: string): AgentFacts {
  const { error, status, signal, stdout, stderr } = spawnSync(agent, [], {
    input: 'action=metadata\n',
    encoding: 'utf8',
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: ROOM,
  });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOENT') return { kind: 'bad', problem: 'there is no such program' };
  if (code === 'EACCES') return { kind: 'bad', problem: 'it is not executable' };
  if (code === 'ETIMEDOUT')
    return { kind: 'bad', problem: `its metadata took longer than ${LIMIT_MS / 1000} s` };
  if (code === 'ENOBUFS') return { kind: 'bad', problem: 'its metadata has no end' };
  // One that ends without having read what it was told may still have said all.
  if (error !== undefined && code !== 'EPIPE') return { kind: 'bad', problem: error.message };
  if (status !== 0) {
    const said = stderr.trim().split('\n').at(-1) ?? '';
    return {
      kind: 'bad',
      problem: `it has no metadata (${signal ?? `status ${status}`}${said && `: ${said.slice(0, 200)}`})`,
    };
  }
  return parseMetadata(stdout);
}

/** The same from the text of the metadata. */
export function parseMetadata(text: string): AgentFacts {
  let agent: Metadata['resource-agent'];
  try {
    agent = (parser.parse(text) as Metadata)['resource-agent'];
  } catch {
    agent = undefined;
  }
  const parameters = agent?.parameters?.parameter ?? [];
  const actions = agent?.actions?.action ?? [];
  if (parameters.length === 0 || actions.length === 0)
    return { kind: 'bad', problem: 'what it says of itself is no metadata of a fence agent' };
  return {
    kind: 'good',
    actions: actions.map(({ name }) => name),
    parameters: parameters.map(
      ({ name, required, deprecated, obsoletes, content }): AgentParameter => ({
        name,
        required: required === '1',
        ...(deprecated === '1' && { deprecated: true }),
        ...(obsoletes !== undefined && { obsoletes }),
        type: content?.type ?? 'string',
        choices: (content?.option ?? []).flatMap(({ value }) => value ?? []),
      }),
    ),
  };
}
