import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander';

/** A command with the house's manners: usage errors go to standard error and end with status 2. */
export function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 100, 100), showGlobalOptions: true })
    .showHelpAfterError(`(${name} --help lists the options)`)
    .exitOverride((error: CommanderError) => {
      process.exit(error.exitCode === 0 ? 0 : 2);
    });
}

/** For an option that takes a whole number in `low..high`. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high) {
      throw new InvalidArgumentError(`A whole number from ${low} to ${high} is wanted.`);
    }
    return value;
  };
}

export { Command, InvalidArgumentError, Option };
