import type { Findings } from '../findings.ts';
import type { bfdInstance } from '../grammar/bfd.ts';
import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import type { Section } from '../tree.ts';
import { audienceOf } from './bfd.ts';
import { type Context, unknownName } from './context.ts';

/** Whether there is such a session, and its state is for checkers. */
function checkSession(
  name: string,
  at: Token,
  sessions: ReadonlyMap<string, Section<typeof bfdInstance>>,
  findings: Findings,
): void {
  const session = sessions.get(name);
  if (session === undefined) unknownName(findings, at, 'bfd_instance', name, sessions.keys());
  else if (audienceOf(session) === 'vrrp')
    findings.warning(at, `bfd_instance ${name} is for VRRP only: this check never hears of it`, {
      hint: `write checker in bfd_instance ${name} too`,
    });
}

/** The names that checkers refer to, and what they must say. */
export function checkReferences(file: Section<typeof root>, context: Context): void {
  const files = file.all('track_file').map(({ values }) => values[0]);
  const sessions = new Map(file.all('bfd_instance').map(({ values, section }) => [values[0], section]));
  const servers = file.all('virtual_server').flatMap(({ section }) => section.all('real_server'));
  const { findings } = context;
  for (const { section: server } of servers) {
    for (const { section, keyword } of server.all('FILE_CHECK')) {
      const name = section.value('track_file');
      const at = section.last('track_file')?.words[0] ?? keyword;
      if (name === undefined) findings.error(keyword, 'FILE_CHECK has no track_file');
      else if (!files.includes(name)) unknownName(findings, at, 'track_file', name, files);
    }
    for (const { section, keyword } of server.all('BFD_CHECK')) {
      const name = section.value('name');
      const at = section.last('name')?.words[0] ?? keyword;
      if (name === undefined) findings.error(keyword, 'BFD_CHECK has no name');
      else checkSession(name, at, sessions, findings);
    }
    for (const { section, keyword } of server.all('MISC_CHECK')) {
      if (!section.has('misc_path') && !section.damaged)
        findings.error(keyword, 'MISC_CHECK has no misc_path');
    }
    for (const { section, keyword } of [...server.all('HTTP_GET'), ...server.all('SSL_GET')]) {
      if (!section.has('url') && !section.damaged) findings.error(keyword, `${keyword.text} has no url`);
    }
  }
}
