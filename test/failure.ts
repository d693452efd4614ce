/**
 * What a failure shows besides its error: the end of the daemons' logs and of what programs printed. Whoever starts
 * them says how to read it (Stage, Scene); the suite prints it with each failure, of a test or of a hook.
 */
const sources: (() => string)[] = [];

/** From now on failures show this text, read when one happens: until the test or suite ends that it began in. */
export function showOnFailure(text: () => string): void {
  sources.push(text);
}

/** Gives a function that forgets the texts which come from now on. */
export function beginShowing(): () => void {
  const { length } = sources;
  return () => void sources.splice(length);
}

/** All there is to show now; of a source that cannot be read, why. */
export function shownOnFailure(): string {
  return sources
    .map((text) => {
      try {
        return text();
      } catch (error) {
        return `--- a log that cannot be read: ${error instanceof Error ? error.message : error}`;
      }
    })
    .filter((text) => text !== '')
    .join('\n');
}

/** The last lines of a log, indented, below a line that says whose it is. */
export function tailOf(title: string, log: string, lines = 40): string {
  const end = log.trimEnd().split('\n').slice(-lines);
  return [`--- ${title}`, ...end.map((line) => `  | ${line}`)].join('\n');
}
