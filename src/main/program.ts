import { startLightly } from '../io/compiler.ts';
import { forgetNodeVariables, refuseDebugger } from '../io/node.ts';

/** Each file of this folder but two is a program or a process, and is bundled to one file (packaging/bundle.ts). */

/** What a program does before its own work. Ends it where Node's debugger is open. */
export async function asProgram(): Promise<void> {
  await refuseDebugger();
  forgetNodeVariables();
  startLightly();
}
