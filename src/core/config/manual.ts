import { type KeywordEntry, keywordsOf } from './keywords.ts';
import type { Keyword, Table } from './schema.ts';

/** What the manual page says besides the tables. */
export interface ManualFrame {
  readonly version: string;
  /** As `2026-11-21`. */
  readonly date: string;
}

/** The manual page vipkeeper.conf(5) of a language, as roff for the man macros. */
export function manual(root: Table, { version, date }: ManualFrame): string {
  const entries = keywordsOf(root);
  const told = new Map<Keyword, string>();
  const blocks = entries.filter(({ spec }) => spec.body?.kind === 'keywords');
  const chapters = [
    ...chapter('KEYWORDS OUTSIDE BLOCKS', entries, [], told),
    ...blocks.flatMap((block) => blockChapter(block, entries, told)),
  ];
  const title = `.TH VIPKEEPER.CONF 5 ${date} "vipkeeper ${version}" "File Formats"`;
  const lines = [
    title,
    ...RAGGED,
    ...NAME,
    ...examples(),
    ...BEFORE,
    ...chapters,
    ...notActedOn(entries),
    ...AFTER,
  ];
  return `${wrapped(lines).join('\n')}\n`;
}

/** One block: a chapter of its own when it stands outside all blocks, else a part of one. */
function blockChapter(
  block: KeywordEntry,
  entries: readonly KeywordEntry[],
  told: Map<Keyword, string>,
): string[] {
  const path = [...block.within, block.name];
  const first = told.get(block.spec);
  if (first !== undefined && first !== path.join(' ')) return [];
  const intro = [bold(block.synopsis), '.PP', sentence(block.doc), ...remarks(block)];
  return chapter(path.join(' '), entries, path, told, intro);
}

function chapter(
  title: string,
  entries: readonly KeywordEntry[],
  path: readonly string[],
  told: Map<Keyword, string>,
  intro: readonly string[] = [],
): string[] {
  const here = entries.filter(({ within }) => within.join(' ') === path.join(' '));
  const known = here.filter(({ spec }) => told.has(spec) && spec.body?.kind !== 'keywords');
  const fresh = here.filter((entry) => !known.includes(entry));
  for (const { spec, name } of fresh) {
    told.set(spec, spec.body?.kind === 'keywords' ? [...path, name].join(' ') : path.join(' '));
  }
  const heading = `${path.length > 1 ? '.SS' : '.SH'} ${literal(title)}`;
  return [heading, ...intro, ...fresh.flatMap(paragraph), ...alsoKnown(known, told)];
}

/** Keywords that another block has told of already: names only. */
function alsoKnown(known: readonly KeywordEntry[], told: ReadonlyMap<Keyword, string>): string[] {
  const places = new Map<string, string[]>();
  for (const { name, spec } of known) {
    const place = told.get(spec) ?? '';
    places.set(place, [...(places.get(place) ?? []), name]);
  }
  return Array.from(places).flatMap(([place, names]) => [
    '.PP',
    `Also, as in ${bold(place)}:`,
    `${names.map(bold).join(', ')}.`,
  ]);
}

function paragraph(entry: KeywordEntry): string[] {
  // As a macro: a line of text may not be longer than a page is wide.
  return ['.TP', `.B ${literal(entry.synopsis)}`, sentence(entry.doc), ...remarks(entry)];
}

/** What is special about a keyword: range, default, age, and whether it does anything. */
function remarks({ spec, status, why }: KeywordEntry): string[] {
  const ranges = spec.args.flatMap(({ syntax, expects }) =>
    /\b(N|SECS|MS|TIME)\b/.test(syntax) && !/^\[[a-z]+ /.test(syntax) ? [expects] : [],
  );
  return [
    ...ranges.map((range) => sentence(range)),
    ...(spec.default === undefined ? [] : [sentence(`default: ${spec.default}`)]),
    ...(spec.ours === true ? ['Not known to keepalived.'] : []),
    ...(spec.alias === undefined ? [] : [`The same as ${bold(spec.alias)}.`]),
    ...(spec.deprecated === undefined ? [] : [sentence(`old: ${spec.deprecated}`)]),
    ...(status === 'works' ? [] : [sentence(`${status}: ${spec.inert ?? why ?? ''}`)]),
  ];
}

/** The keywords that have no effect, by the reason: said in one place too. */
function notActedOn(entries: readonly KeywordEntry[]): string[] {
  const reasons = new Map<string, Set<string>>();
  for (const { name, spec, why } of entries) {
    if (why === undefined || spec.inert === undefined) continue;
    const names = reasons.get(why) ?? new Set();
    reasons.set(why, names.add(name));
  }
  const intro = [
    '.SH KEYWORDS WITHOUT EFFECT',
    'These are read and checked, so that a file for keepalived can be used as it is.',
    'Each is mentioned once, as a warning, when the file is loaded.',
  ];
  const parts = Array.from(reasons).flatMap(([why, names]) => [
    '.PP',
    sentence(why),
    '.RS',
    `${Array.from(names, bold).join(', ')}.`,
    '.RE',
  ]);
  return [...intro, ...parts];
}

/** Text in which roff sees nothing of its own. */
const literal = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll('|', '|\\:')
    .replace(/^([.'])/, '\\&$1');
const bold = (text: string): string => `\\fB${literal(text).replace(/^\\&/, '')}\\fR`;
const sentence = (text: string): string => {
  const isName = /^\w*_/.test(text);
  const whole = isName ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return `${literal(whole)}${/[.!?]$/.test(text) ? '' : '.'}`;
};

/** Lines end where words end: synopses are too long to be stretched. */
const RAGGED = ['.ad l', '.nh'];

const MAX_COLUMNS = 80;

/** Text lines that a terminal shows whole; not those between `.nf` and `.fi`, whose ends count. */
function wrapped(lines: readonly string[]): string[] {
  let fills = true;
  return lines.flatMap((line) => {
    if (line.startsWith('.nf')) fills = false;
    if (line.startsWith('.fi')) fills = true;
    if (!fills || line.startsWith('.') || line.length <= MAX_COLUMNS) return [line];
    const rows: string[] = [];
    let row = '';
    for (const word of line.split(' ')) {
      // A line that begins with one of these would be a command of roff.
      const stays = row === '' || row.length + 1 + word.length <= MAX_COLUMNS || /^[.']/.test(word);
      if (!stays) rows.push(row);
      row = !stays || row === '' ? word : `${row} ${word}`;
    }
    return [...rows, row];
  });
}

/** Three whole files, for who begins; a test reads them. */
export const EXAMPLES: readonly { readonly what: string; readonly text: string }[] = [
  {
    what: 'One address on two directors. The second has the same file with priority 100.',
    text: `vrrp_instance web {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    virtual_ipaddress {
        192.0.2.10/24
    }
}`,
  },
  {
    what:
      'Balancing by NAT. The real servers have their default gateway at 10.0.0.254, which moves with the master, ' +
      'and the director forwards: "vipkeeper director prepare".',
    text: `vrrp_sync_group both {
    group {
        outside
        inside
    }
}
vrrp_instance outside {
    interface eth0
    virtual_router_id 51
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}
vrrp_instance inside {
    interface eth1
    virtual_router_id 52
    priority 150
    virtual_ipaddress {
        10.0.0.254/24
    }
}
virtual_server 192.0.2.10 80 {
    delay_loop 5
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 10.0.0.11 80 {
        HTTP_GET {
            url {
                path /health
                status_code 200
            }
        }
    }
    real_server 10.0.0.12 80 {
        HTTP_GET {
            url {
                path /health
                status_code 200
            }
        }
    }
}`,
  },
  {
    what:
      'Balancing by direct routing, with the connections told to the other director and a sorry server. ' +
      'On each real server: "vipkeeper realserver prepare 192.0.2.10".',
    text: `global_defs {
    lvs_sync_daemon eth0 web
}
vrrp_instance web {
    interface eth0
    virtual_router_id 51
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}
virtual_server 192.0.2.10 443 {
    delay_loop 5
    lb_algo wrr
    lb_kind DR
    protocol TCP
    sorry_server 192.0.2.30 443
    real_server 192.0.2.21 443 {
        weight 2
        TCP_CHECK {
            connect_timeout 3
        }
    }
    real_server 192.0.2.22 443 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
        }
    }
}`,
  },
];

const examples = (): string[] => [
  '.SH EXAMPLES',
  ...EXAMPLES.flatMap(({ what, text }, i) => [
    ...(i === 0 ? [] : ['.PP']),
    literal(what),
    ...['.PP', '.nf', ...text.split('\n').map(literal), '.fi'],
  ]),
];

const NAME: readonly string[] = ['.SH NAME', 'vipkeeper.conf \\- configuration of vipkeeperd'];

const BEFORE: readonly string[] = `.SH DESCRIPTION
.BR vipkeeperd (8)
reads the language of
.BR keepalived.conf (5)
(version 2.4.3).
A file that runs keepalived means the same here.
Where keepalived passes over a mistake in silence there is a warning, and what would do harm is an error:
.B vipkeeper check
.I FILE
shows all of them at once.
.SS Lines
A statement is one line: a keyword and its arguments.
Blanks at both ends do not count.
.B #
and
.B !
begin a comment anywhere outside double quotes, also within a word and after a backslash; write a word that has them
in double quotes.
Double quotes make one word of several.
Keywords that take a script read their line a second time: single quotes group too, and a backslash begins an
escape (\\en, \\et, octal, \\exHH).
.PP
A block is
.B {
at the end of the line or first on the next, statements, and
.BR } .
.SS Other files
.B include
.I PATTERN
reads the files that match; they are looked for from the folder of the file that names them.
.BR includer ,
.BR includem ,
.BR includew
and
.B includeb
insist that they can be read, exist, match a wildcard, or match each alternative in braces;
.B includea
insists on all of that.
.SS Variables
.BI $ NAME = VALUE
defines one, and
.BI \${ NAME }
or
.BI $ NAME
stands for it, where
.BI $ NAME
ends with a blank, a comma, a closing parenthesis or the line.
A value goes on in the next line after a backslash at the end; a variable of several lines must stand last on its line.
A value is looked up when it is used, and what it stands for is read as a line again: it may be a condition, a
definition, the generator of lines, or a comment.
Predefined are
.BR _PWD ,
.BR _INSTANCE ,
.BR _RANDOM ,
.BR _HASH ,
.B _BANG
and
.BI _ENV\\  NAME
for a variable of the environment.
.B _HASH
and
.B _BANG
are the characters of comments: outside double quotes they begin one.
.SS Generated lines
.BI ~SEQ( VAR ,\\  FIRST ,\\  STEP ,\\  LAST )\\  TEXT
repeats the text with the variable counting, and
.BI ~LST( VAR ,\\  VALUE ,\\  ...)\\  TEXT
with the values of a list.
The variable keeps its last value.
.SS Conditions
.BI @ ID\\  TEXT
keeps the line on the host whose id it is,
.BI @^ ID\\  TEXT
on all others.
The id is given with
.BR \\-i ;
without, it is the host's name up to its first dot.
.SS Values
A BOOL is true, on or yes, or false, off or no, and true when left out.
SECS are decimal seconds with up to six decimals where fractions are allowed.
A SCRIPT is a command, in quotes when it has arguments.`.split('\n');

const AFTER: readonly string[] = `.SH FILES
.TP
.I /etc/keepalived/keepalived.conf
The default, so that a running keepalived can be replaced as it is.
.SH SEE ALSO
.BR vipkeeperd (8),
.BR lvsadm (8),
.BR keepalived.conf (5)`.split('\n');
