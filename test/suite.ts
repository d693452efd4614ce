import { suite as uvuSuite } from 'uvu';
import { beginShowing, shownOnFailure } from './failure.ts';

type Body = () => unknown;
type Hook = (body: Body) => void;

/** The tests of a subject, run one after the other by `run()`. */
export interface Test {
  (name: string, body: Body): void;
  before: Hook & { readonly each: Hook };
  after: Hook & { readonly each: Hook };
  /** Runs them, when the file has been read to its end. */
  run(): void;
}

/** A test that takes this long says so, with the logs: whatever ends the file later, one sees what it hung in. */
const LONG_MILLISECONDS = 120_000;

/**
 * A suite of uvu in which no error is lost. uvu itself runs the tests, counts and prints; but an exception in one of
 * its hooks drops the test's own error and all tests that follow, or goes unseen. Here
 * - what a `before.each` or `after.each` throws fails its test, beside the test's own error;
 * - what a `before` throws fails every test of the suite, and none is run;
 * - what an `after` throws is printed, and the file ends with status 1;
 * - every failure shows the logs (failure.ts).
 */
export function suite(name: string): Test {
  const inner = uvuSuite(name);
  const hooks = {
    before: [] as Body[],
    after: [] as Body[],
    beforeEach: [] as Body[],
    afterEach: [] as Body[],
  };
  let broken: Error | undefined;
  let forget = (): void => undefined;
  const into =
    (list: Body[]): Hook =>
    (body) =>
      void list.push(body);
  const hook = (once: Body[], each: Body[]) => Object.assign(into(once), { each: into(each) });

  const add = (title: string, body: Body): void => {
    inner(title, async () => {
      const failures: Error[] = [];
      if (broken !== undefined) failures.push(broken);
      else await runTest(title, body, failures);
      if (failures[0] === undefined) return;
      // uvu prints it when the suite has ended: a file that hangs or crashes before would not tell.
      say(`failed: ${title}: ${failures[0].message.split('\n')[0]}`);
      throw joined(failures);
    });
  };
  const runTest = async (title: string, body: Body, failures: Error[]): Promise<void> => {
    const forget = beginShowing();
    const long = setInterval(
      () => say(`"${title}" has run for a long time\n${shownOnFailure()}`),
      LONG_MILLISECONDS,
    ).unref();
    const ready = await runHooks('before.each', hooks.beforeEach, failures);
    if (ready) await attempt(body, failures);
    await runHooks('after.each', hooks.afterEach, failures);
    clearInterval(long);
    forget();
  };
  const end = async (): Promise<void> => {
    const failures: Error[] = [];
    await runHooks('after', hooks.after, failures);
    forget();
    if (failures[0] === undefined) return;
    say(`after the tests of "${name}": ${told(joined(failures))}`);
    // uvu sets the status by its tests; this comes later.
    process.once('exit', () => {
      process.exitCode = 1;
    });
  };
  inner.before(async () => {
    forget = beginShowing();
    const failures: Error[] = [];
    await runHooks('before', hooks.before, failures);
    broken = failures[0] && joined(failures);
  });
  inner.after(end);
  return Object.assign(add, {
    before: hook(hooks.before, hooks.beforeEach),
    after: hook(hooks.after, hooks.afterEach),
    run: () => inner.run(),
  });
}

/** Runs one; what it throws joins the failures, with the logs of this moment. */
async function attempt(body: Body, failures: Error[], where = ''): Promise<void> {
  try {
    await body();
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(`thrown: ${String(thrown)}`);
    // The stack, taken before, does not repeat what is added to the message.
    void error.stack;
    error.message = `${where}${error.message}`;
    const logs = shownOnFailure();
    if (logs !== '') error.message += `\n${logs}`;
    failures.push(error);
  }
}

/** Runs all hooks; whether all passed. Those of cleaning up all run; of those before, none after one that failed. */
async function runHooks(kind: string, bodies: readonly Body[], failures: Error[]): Promise<boolean> {
  const before = failures.length;
  for (const body of bodies) {
    await attempt(body, failures, `in a hook (${kind}): `);
    if (failures.length > before && kind.startsWith('before')) break;
  }
  return failures.length === before;
}

/** One error for uvu: the first, which also tells of the others. */
function joined(failures: readonly Error[]): Error {
  const [first = new Error('nothing failed'), ...others] = failures;
  for (const other of others) first.message += `\nand ${told(other)}`;
  return first;
}

/** The message as it is now, and where the error came from. */
const told = ({ message, stack = '' }: Error): string => message + stack.slice(stack.indexOf('\n    at '));

const say = (text: string): void => void process.stderr.write(`\n${text}\n`);
