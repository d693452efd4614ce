import type { ScriptCommand } from '../../notify/settings.ts';
import type { ScriptSetting } from '../arguments.ts';
import type { Facts, Identity, Runner } from '../facts.ts';
import type { Findings } from '../findings.ts';
import { lexQuoted, type Token } from '../lex.ts';
import { insecurity } from '../security.ts';
import type { Context } from './context.ts';

/** What it means that a command cannot run, for the message. */
export const MEANINGS = {
  notified: 'nothing is run',
  tracked: 'it is not tracked, as in keepalived',
  checked: 'the check fails, and its server is down, until there is one (keepalived leaves the check out)',
} as const;
export type Purpose = keyof typeof MEANINGS;

/**
 * A script keyword's command as program and arguments, and who runs it. keepalived takes a script that is
 * missing, or whose user is, out with a line in the log, and goes on without: here it is said at the check too.
 */
export function scriptCommand(
  setting: ScriptSetting,
  at: Token,
  purpose: Purpose,
  context: Context,
): ScriptCommand | undefined {
  const command = splitCommand(setting.command, at, context.findings);
  const [program] = command;
  if (program === undefined) {
    context.findings.error(at, `${at.text}: the command is empty`);
    return undefined;
  }
  const user = setting.user === undefined ? undefined : runner(setting, setting.user, at, context);
  if (setting.user !== undefined && user === undefined) return undefined;
  const who = user ?? context.scriptUser;
  // Said where it was named.
  const isNobody = who !== undefined && 'missing' in who;
  if (isNobody && purpose !== 'checked') return undefined;
  const isThere = checkProgram(program, at, purpose, isNobody ? undefined : who, context);
  if (!isThere && purpose === 'tracked') return undefined;
  return { command, ...(user === undefined ? {} : { user }) };
}

/**
 * The words of a command. keepalived does not run `</path`: it looks whether the file can be opened, and so
 * does `test -r`.
 */
export function splitCommand(command: string, at: Token, findings: Findings): string[] {
  if (/^<\s*\//.test(command)) {
    findings.warning(at, `${at.text}: nothing is run: it is good when the file can be opened`, {
      hint: 'as in keepalived; write a command to run one',
    });
    return ['test', '-r', command.slice(1).trim()];
  }
  const line = { ...at.line, text: command, pieces: [{ start: 0, end: command.length, ...written(at) }] };
  return lexQuoted({ line, start: 0, end: command.length }, findings).map(({ text }) => text);
}

const written = (at: Token) => ({ writtenStart: at.start, writtenEnd: at.end });

/** Who runs a script, by the words after its command; arguments that were not quoted stand there too. */
function runner(
  { command, group }: ScriptSetting,
  user: string,
  at: Token,
  context: Context,
): Identity | undefined {
  const found = runnerOf([user, group], context.facts);
  if (!('missing' in found)) return found;
  const { findings } = context;
  const what = `${at.text}: there is no user ${user}`;
  // What no name of a user looks like was meant for the command.
  if (/^[-/.]|[/=]/.test(user)) {
    const hint = `put the command in quotes when it has arguments: ${at.text} "${command} ${user} ..."`;
    findings.error(at, what, { hint });
  } else {
    const whom = group === undefined ? '' : ` with group ${group}`;
    const hint = 'keepalived says so in its log; put a command that has arguments in quotes';
    findings.warning(at, `${what}${whom}: the script is not run`, { hint });
  }
  return undefined;
}

/** Whom the words `USER [[:]GROUP]` mean on this host; numbers need no look-up. */
export function runnerOf(
  [userName, groupName]: readonly [user: string, group?: string | undefined],
  facts: Facts,
): Runner {
  const number = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);
  const uid = number(userName);
  const user = uid === undefined ? facts.user(userName) : { uid, gid: uid };
  if (groupName === undefined) return user ?? { missing: [userName] };
  const name = groupName.replace(/^:/, '');
  const gid = number(name) ?? facts.group(name);
  return user === undefined || gid === undefined
    ? { missing: [userName, groupName] }
    : { uid: user.uid, gid };
}

/** Whether the program can be run. */
function checkProgram(
  program: string,
  at: Token,
  purpose: Purpose,
  user: Identity | undefined,
  { facts, findings, secure }: Context,
): boolean {
  const found = facts.program(program);
  if (found.kind === 'missing') {
    findings.warning(at, `${at.text}: there is no ${program}: ${MEANINGS[purpose]}`);
    return false;
  }
  if (!found.executable) {
    const hint = `chmod +x ${program}`;
    findings.warning(at, `${at.text}: ${program} is not executable: ${MEANINGS[purpose]}`, { hint });
  }
  const writable = insecurity(found, user?.uid ?? 0);
  if (writable === undefined) return found.executable;
  const message = `${at.text}: root would run ${program}, and others can write ${writable}`;
  const advice = { hint: `chmod go-w ${writable}, or name a user to run it`, security: true };
  if (secure) findings.error(at, message, advice);
  else findings.warning(at, message, advice);
  return found.executable;
}
