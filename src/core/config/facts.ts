import type { Ip } from '../ip.ts';
import type { RoutingNameKind } from './rtnames.ts';

/** Who runs a script, as numbers. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Who is to run a script; `missing`: the words of the file that name nobody on this host. */
export type Runner = Identity | { readonly missing: readonly string[] };

/** What is known of a program that a script keyword names. */
export type ProgramFacts =
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'found';
      readonly executable: boolean;
      /** The file, or the folder on the way to it, that others than root can write; absent when none is. */
      readonly writable?: string;
    };

/** What is wrong with the text of a calendar, and which of its words, if it is one. */
export interface CalendarFault {
  readonly problem: string;
  readonly word?: string;
}

/** A parameter that a fence agent takes. */
export interface AgentParameter {
  readonly name: string;
  readonly required: boolean;
  /** `string`, `integer`, `boolean`, `select`, `second`. */
  readonly type: string;
  /** Another word for it is to be written: one that says in `obsoletes` which it replaces. */
  readonly deprecated?: boolean;
  readonly obsoletes?: string;
  /** Of `select`. */
  readonly choices: readonly string[];
}

/** What a fence agent says of itself, or why that is nothing. */
export type AgentFacts =
  | {
      readonly kind: 'good';
      readonly parameters: readonly AgentParameter[];
      readonly actions: readonly string[];
    }
  | { readonly kind: 'bad'; readonly problem: string };

/** What a check asks the host: injected and synchronous, like `Reader`, so that the core stays pure. */
export interface Facts {
  /** Whether an interface of this host has the address now. */
  isOwnAddress(address: Ip): boolean;
  /** Whether this host has an interface of that name. */
  hasInterface(name: string): boolean;
  /** How long an interface's packets may be, in bytes; `undefined` when that is not known. */
  mtu(name: string): number | undefined;
  user(name: string): Identity | undefined;
  /** The group's number. */
  group(name: string): number | undefined;
  /** A path, or a name that is looked for where programs are. */
  program(name: string): ProgramFacts;
  /** Whether others than its owner may read the file. */
  isExposed(path: string): boolean;
  /** iproute2's names for numbers of a kind; a file in a later folder goes before the same one in an earlier. */
  routingNames(kind: RoutingNameKind, folders: readonly string[]): ReadonlyMap<string, number>;
  /** What is wrong with times as crontab(5) says them. */
  calendarFault(cron: string): CalendarFault | undefined;
  /** What a fence agent takes; `undefined` where nothing is known of any. */
  fenceAgent(agent: string): AgentFacts | undefined;
}

/** For texts that are read away from any host: every program is there, and only root is a user. */
export const NO_HOST: Facts = {
  isOwnAddress: () => false,
  hasInterface: () => true,
  mtu: () => undefined,
  user: (name) => (name === 'root' ? { uid: 0, gid: 0 } : undefined),
  group: (name) => (name === 'root' ? 0 : undefined),
  program: () => ({ kind: 'found', executable: true }),
  isExposed: () => false,
  routingNames: () => new Map(),
  calendarFault: () => undefined,
  fenceAgent: () => undefined,
};

/**
 * For one reading of a configuration: each interface is asked about once. Hundreds of virtual routers are on the same
 * few, and to ask the kernel took half the time of a reload of 200.
 */
export const askedOnce = (facts: Facts): Facts => ({
  ...facts,
  hasInterface: once(facts.hasInterface),
  mtu: once(facts.mtu),
});

function once<Answer>(ask: (name: string) => Answer): (name: string) => Answer {
  const answers = new Map<string, { readonly answer: Answer }>();
  return (name) => {
    const known = answers.get(name) ?? { answer: ask(name) };
    answers.set(name, known);
    return known.answer;
  };
}
