import type { Command } from '../../io/arguments.ts';

/** A program's words in bash's terms: `key` is a command, or '' for what may stand before one. */
function cases(program: Command): string[] {
  const options = (command: Command): string[] =>
    command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long }) => long ?? []);
  const names = program.commands.map((command) => command.name());
  const words = (key: string, list: readonly string[], servers = false): string => {
    const more = servers ? `" $(${program.name()} completion --servers 2>/dev/null)"` : '';
    return `    ${key}) words='${list.join(' ')}'${more} ;;`;
  };
  return [
    ...program.commands.map((command) =>
      words(
        command.name(),
        [command, ...command.commands].flatMap((each) => [...choices(each), ...options(each)]),
        command.registeredArguments.some((argument) => argument.name() === 'server'),
      ),
    ),
    words('*', [...names, ...options(program)]),
  ];
}

/** `on` and `off` of `<on|off>`; the commands of a command. */
const choices = (command: Command): string[] => [
  ...command.commands.map((each) => each.name()),
  ...command.registeredArguments
    .map((argument) => argument.name())
    .filter((name) => name.includes('|'))
    .flatMap((name) => name.split('|')),
];

/** A bash script that completes the words of these programs, and file names elsewhere. */
export function bashCompletion(programs: readonly Command[]): string {
  return programs
    .map((program) => {
      const name = program.name();
      return `_${name}() {
  local words word=\${COMP_WORDS[COMP_CWORD]} head=
  # Bash takes the colons of addresses for ends of words: what is before the last one stands there already.
  if [[ \${COMP_LINE-} == *:* ]]; then
    word=\${COMP_LINE:0:COMP_POINT}; word=\${word##* }
    [[ $word != *:* ]] || head=\${word%"\${word##*:}"}
  fi
  case \${COMP_WORDS[1]} in
${cases(program).join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  COMPREPLY=("\${COMPREPLY[@]#"$head"}")
}
complete -o default -F _${name} ${name}
`;
    })
    .join('');
}
