import { COMPANY, SPELLINGS } from '../../core/ipvsadm/options.ts';
import type { Command, Option } from '../../io/arguments.ts';

/** What may stand at a place of a command line: words, and a question to the program for more. */
interface Offer {
  readonly words: readonly string[];
  /** An option of `vipkeeper completion`, by which it lists names. */
  readonly ask?: string;
}

/** Names that an argument takes, by the argument's own. */
const QUESTIONS: Readonly<Record<string, string>> = {
  server: '--servers',
  name: '--names',
  router: '--routers',
  word: '--keywords',
  director: '--directors',
  '--service': '--services',
};

const long = ({ long: word, short }: Option): string => word ?? short ?? '';
const visible = (command: Command): readonly Option[] => command.createHelp().visibleOptions(command);

/** A case of bash: a pattern, and what is offered then. */
function caseOf(pattern: string, { words, ask }: Offer): string {
  const more = ask === undefined ? '' : `" $(vipkeeper completion ${ask} 2>/dev/null)"`;
  return `    ${pattern}) words='${words.join(' ')}'${more} ;;`;
}

/** Of a command and its own: by the words before, ` director prepare`. */
function commandCases(command: Command, path: string): string[] {
  const own = command.commands.flatMap((each) => commandCases(each, `${path} ${each.name()}`));
  const options = visible(command).map(long);
  const names = command.commands.map((each) => each.name());
  const taken = command.registeredArguments.map((argument) => argument.name());
  const choices = taken.filter((name) => name.includes('|')).flatMap((name) => name.split('|'));
  const ask = QUESTIONS[taken[0] ?? ''];
  // What follows the first argument: of all commands only a weight has a word of its own.
  const second = taken.length > 1 ? [caseOf(`'${path} '*`, { words: ['default', ...options] })] : [];
  const first = { words: [...names, ...choices, ...options], ...(ask !== undefined && { ask }) };
  const rest = path === '' || names.length > 0 ? [] : [caseOf(`'${path} '*`, { words: options })];
  return [...own, caseOf(`'${path}'`, first), ...(second.length > 0 ? second : rest)];
}

/** After an option that takes a value: its choices, names, or nothing, and then bash offers files. */
function valueCases(command: Command): string[] {
  const all = [command, ...command.commands, ...command.commands.flatMap((each) => each.commands)];
  const options = new Map(all.flatMap(visible).map((option) => [long(option), option]));
  return [...options].flatMap(([name, { argChoices, required }]) => {
    if (!required) return [];
    const spelled = [name, options.get(name)?.short].filter(Boolean).join('|');
    const ask = QUESTIONS[name];
    return caseOf(spelled, { words: argChoices ?? [], ...(ask !== undefined && { ask }) });
  });
}

/** Options that may be said again say so in their help. */
const repeatable = (command: Command): string[] =>
  [command, ...command.commands, ...command.commands.flatMap((each) => each.commands)]
    .flatMap(visible)
    .filter(({ description }) => description.includes('repeatable'))
    .map(long);

/** What lvsadm's options take. */
const LVSADM_VALUES: Readonly<Record<string, string>> = {
  '-s|--scheduler': 'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos',
  '--start-daemon|--stop-daemon': 'master backup',
  '--tun-type': 'ipip gue gre',
  '--pe': 'sip',
};

/** A command of lvsadm comes first; its options are those that may stand beside it. */
function lvsadmCases(): string[] {
  const spelled = (key: string): string[] =>
    SPELLINGS.filter((each) => each.key === key).map((each) => `--${each.long}`);
  const byName: Readonly<Record<string, readonly string[]>> = {
    'service-address': ['tcp-service', 'udp-service', 'sctp-service', 'fwmark-service', 'ipv6'],
    'forwarding-method': ['gatewaying', 'ipip', 'masquerading'],
  };
  const beside = Object.entries(COMPANY).map(
    ([command, { required = [], optional = [], exclusive = [] }]) => {
      const names = [...required, ...optional, ...exclusive].flatMap((name) => byName[name] ?? [name]);
      const patterns = SPELLINGS.filter(({ key }) => key === command).flatMap(({ long: word, short }) => [
        `--${word}`,
        ...(short === undefined ? [] : [`-${short}`]),
      ]);
      const words = names.flatMap((name) => spelled(name));
      return caseOf(patterns.join('|'), { words });
    },
  );
  const first = [...Object.keys(COMPANY), 'help', 'version'].flatMap(spelled);
  return [caseOf("''", { words: [...new Set(first)] }), ...beside];
}

/**
 * The function that completes a program. `key` is what decides: the words before without options, or for lvsadm its
 * first word. An option that stands there already is not offered again.
 */
function completer(
  name: string,
  key: string,
  values: readonly string[],
  cases: readonly string[],
  again: string,
): string {
  return `_${name.replaceAll('-', '_')}() {
  local words= word head= key= each offered= line=\${COMP_LINE-} before
  line=\${line:0:\${COMP_POINT-0}}
  [[ -n $line ]] || line="\${COMP_WORDS[*]:0:COMP_CWORD+1}"
  word=\${line##* }
  read -ra before <<<"\${line% *}"
  # Bash takes the colons of addresses for ends of words: what is before the last one stands there already.
  [[ $word != *:* ]] || head=\${word%"\${word##*:}"}
  for each in "\${before[@]:1}"; do
${key}
  done
  case \${before[-1]} in
${values.join('\n')}
    *) case $key in
${cases.join('\n')}
    esac ;;
  esac
  for each in $words; do
    case $each in
      ${again}) ;;
      -*) [[ " \${before[*]} " != *" $each "* ]] || continue ;;
    esac
    offered+=" $each"
  done
  mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$word")
  COMPREPLY=("\${COMPREPLY[@]#"$head"}")
}
complete -o default -F _${name.replaceAll('-', '_')} ${name}
`;
}

const WORDS_BEFORE = '    [[ $each == -* ]] || key+=" $each"';
const FIRST_WORD = '    [[ -n $key ]] || key=$each';
const NEVER = "''";

/** A bash script that completes the words of these programs and of lvsadm, and file names elsewhere. */
export function bashCompletion(programs: readonly Command[]): string {
  const scripts = programs.map((program) =>
    completer(
      program.name(),
      WORDS_BEFORE,
      valueCases(program),
      commandCases(program, ''),
      repeatable(program).join('|') || NEVER,
    ),
  );
  const values = Object.entries(LVSADM_VALUES).map(([pattern, words]) => caseOf(pattern, { words: [words] }));
  return [...scripts, completer('lvsadm', FIRST_WORD, values, lvsadmCases(), NEVER)].join('');
}
