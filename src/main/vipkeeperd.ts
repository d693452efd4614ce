import '../io/required.ts';
import { endBySignal, onSignal, takeSignals } from '../io/signals.ts';
import { asProgram } from './program.ts';

async function daemon(): Promise<void> {
  await asProgram();
  // Before anything that takes time: what comes now is done when there is somebody to do it.
  takeSignals();
  onSignal('STOP', () => endBySignal('SIGTERM'));
  return (await import('../app/daemon.ts')).runDaemon(process.argv.slice(2));
}

void daemon();
