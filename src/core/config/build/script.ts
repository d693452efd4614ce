import type { ScriptCommand } from '../../notify/settings.ts';
import type { ScriptSetting } from '../arguments.ts';
import type { Identity } from '../facts.ts';
import type { Findings } from '../findings.ts';
import { lexQuoted, type Token } from '../lex.ts';
import { insecurity } from '../security.ts';
import { type Context, unknownName } from './context.ts';

/** What happens when the command cannot run: a tracked script would hold its instance down. */
export type Importance = 'tracked' | 'notified';

/**
 * A script keyword's command as program and arguments, and who runs it. keepalived takes a script that is
 * missing or unsafe out with a line in the log, and goes on without: here it is said at the check, as an
 * error where something depends on it.
 */
export function scriptCommand(
  setting: ScriptSetting,
  at: Token,
  importance: Importance,
  context: Context,
): ScriptCommand | undefined {
  const command = splitCommand(setting.command, at, context.findings);
  const [program] = command;
  if (program === undefined) {
    context.findings.error(at, `${at.text}: the command is empty`);
    return undefined;
  }
  const user = setting.user === undefined ? undefined : identity(setting.user, setting.group, at, context);
  checkProgram(program, at, importance, user ?? context.scriptUser, context);
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

/** `USER [[:]GROUP]` as numbers; numbers need no look-up. */
export function identity(
  userName: string,
  groupName: string | undefined,
  at: Token,
  { facts, findings }: Context,
): Identity | undefined {
  const number = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);
  const uid = number(userName);
  const user = uid === undefined ? facts.user(userName) : { uid, gid: uid };
  if (user === undefined) {
    unknownName(findings, at, 'user', userName, []);
    return undefined;
  }
  if (groupName === undefined) return user;
  const name = groupName.replace(/^:/, '');
  const gid = number(name) ?? facts.group(name);
  if (gid === undefined) unknownName(findings, at, 'group', name, []);
  return gid === undefined ? undefined : { uid: user.uid, gid };
}

function checkProgram(
  program: string,
  at: Token,
  importance: Importance,
  user: Identity | undefined,
  { facts, findings, secure }: Context,
): void {
  const found = facts.program(program);
  const report = (message: string, hint: string): void => {
    if (importance === 'tracked') findings.error(at, message, { hint });
    else findings.warning(at, message, { hint });
  };
  if (found.kind === 'missing') {
    report(`${at.text}: there is no ${program}`, 'keepalived would go on without it, and say so in its log');
    return;
  }
  if (!found.executable) report(`${at.text}: ${program} is not executable`, `chmod +x ${program}`);
  const writable = insecurity(found, user?.uid ?? 0);
  if (writable === undefined) return;
  const message = `${at.text}: root would run ${program}, and others can write ${writable}`;
  const advice = { hint: `chmod go-w ${writable}, or name a user to run it`, security: true };
  if (secure) findings.error(at, message, advice);
  else findings.warning(at, message, advice);
}
