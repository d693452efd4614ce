import type { FifoKind, FifoSettings } from '../../notify/settings.ts';
import type { Identity } from '../facts.ts';
import type { globalDefs } from '../grammar/global.ts';
import type { Token } from '../lex.ts';
import type { Section } from '../tree.ts';
import type { Context } from './context.ts';
import { runnerOf, scriptCommand } from './script.ts';

/** The keywords of each pipe and of its reader. */
export const FIFO_KEYWORDS = {
  all: ['notify_fifo', 'notify_fifo_script'],
  vrrp: ['vrrp_notify_fifo', 'vrrp_notify_fifo_script'],
  lvs: ['lvs_notify_fifo', 'lvs_notify_fifo_script'],
} as const satisfies Record<FifoKind, readonly [string, string]>;

export function buildFifos(
  global: Section<typeof globalDefs>,
  context: Context,
): { readonly [kind in FifoKind]?: FifoSettings } {
  const found = (['all', 'vrrp', 'lvs'] as const).flatMap((kind) => {
    const [name, readerName] = FIFO_KEYWORDS[kind];
    const pipe = global.last(name);
    const script = global.last(readerName);
    if (pipe === undefined) {
      const hint = `write ${name} PATH`;
      if (script !== undefined)
        context.findings.warning(script.keyword, `${readerName} has no ${name} to read`, { hint });
      return [];
    }
    const [path, userName, groupName] = pipe.values;
    const user = userName === undefined ? undefined : ownerOf(userName, groupName, pipe.keyword, context);
    if (userName !== undefined && user === undefined) return [];
    const reader = script && scriptCommand(script.values[0], script.keyword, 'notified', context);
    return [[kind, { path, ...(user !== undefined && { user }), ...(reader !== undefined && { reader }) }]];
  });
  return Object.fromEntries(found);
}

/** Whom a pipe belongs to; without him it is not made, as in keepalived. */
function ownerOf(user: string, group: string | undefined, at: Token, context: Context): Identity | undefined {
  const owner = runnerOf([user, group], context.facts);
  if (!('missing' in owner)) return owner;
  const whom = group === undefined ? user : `${user} with group ${group}`;
  context.findings.warning(at, `${at.text}: there is no user ${whom}: the pipe is not made`);
  return undefined;
}
