import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import { BUILT_IN, IP_PROTOCOLS, numberOf, ROUTING_NAMES, type RoutingNameKind } from '../rtnames.ts';
import { nearest } from '../spelling.ts';
import type { Section } from '../tree.ts';
import type { Context } from './context.ts';
import { globalSection } from './global.ts';

/** Where distributions have iproute2's files: what stands in the second folder goes before the first. */
const FOLDERS = { usr: '/usr/share/iproute2', etc: '/etc/iproute2' } as const;
const KINDS = {
  table: 'routing table',
  dsfield: 'type of service',
  realm: 'realm',
  protocol: 'routing protocol',
  scope: 'scope',
  group: 'group of interfaces',
} as const;

/** Turns the names and numbers of route and rule lines into numbers. What is none is an error. */
export class Numbers {
  readonly #context: Context;
  readonly #folders: readonly string[];
  readonly #names = new Map<RoutingNameKind, ReadonlyMap<string, number>>();

  constructor(file: Section<typeof root>, context: Context) {
    const global = globalSection(file);
    this.#context = context;
    this.#folders = [
      global.value('iproute_usr_dir') ?? FOLDERS.usr,
      global.value('iproute_etc_dir') ?? FOLDERS.etc,
    ];
  }

  /** `undefined`, reported, when there is no such name. */
  number(kind: RoutingNameKind, text: string, at: Token): number | undefined {
    const { most } = ROUTING_NAMES[kind];
    return this.#find(KINDS[kind], text, most, () => this.#namesOf(kind), at);
  }

  /** `[FROM/]TO`: the source realm in the upper 16 bits. */
  realms(text: string, at: Token): number | undefined {
    const parts = text.split('/').map((part) => this.number('realm', part, at));
    const [first, second] = parts;
    if (first === undefined || parts.length === 1) return first;
    return second === undefined ? undefined : first * 0x10000 + second;
  }

  ipProtocol(text: string, at: Token): number | undefined {
    return this.#find('IP protocol', text, 255, () => IP_PROTOCOLS, at);
  }

  #find(
    what: string,
    text: string,
    most: number,
    names: () => ReadonlyMap<string, number>,
    at: Token,
  ): number | undefined {
    const found = numberOf(text, most) ?? names().get(text);
    if (found !== undefined) return found;
    const { findings } = this.#context;
    const near = nearest(text, names().keys());
    const hint = near === undefined ? `write a number up to ${most}` : `did you mean ${near}?`;
    findings.error(at, `there is no ${what} ${text}`, { hint });
    return undefined;
  }

  #namesOf(kind: RoutingNameKind): ReadonlyMap<string, number> {
    const known = this.#names.get(kind);
    if (known !== undefined) return known;
    const listed = this.#context.facts.routingNames(kind, this.#folders);
    const names = new Map([...BUILT_IN[kind], ...listed]);
    this.#names.set(kind, names);
    return names;
  }
}
