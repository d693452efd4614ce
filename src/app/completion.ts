import type { Command } from '../io/arguments.ts';

/** A program's words in bash's terms: `key` is a command, or '' for what may stand before one. */
function cases(program: Command): string[] {
  const options = (command: Command): string[] =>
    command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long }) => long ?? []);
  const names = program.commands.map((command) => command.name());
  const words = (key: string, list: readonly string[]): string => `    ${key}) words='${list.join(' ')}' ;;`;
  return [
    ...program.commands.map((command) =>
      words(
        command.name(),
        [command, ...command.commands].flatMap((each) => [...choices(each), ...options(each)]),
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
  local words
  case \${COMP_WORDS[1]} in
${cases(program).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${name} ${name}
`;
    })
    .join('');
}
