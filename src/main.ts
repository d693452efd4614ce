// The first statement, before anything is loaded: Node's own answer to this signal is to open its debugger. What it
// means to the supervisor is for the supervisor to say; nobody else listens to it.
process.on('SIGUSR1', () => undefined);
const { spawnedRole } = await import('./io/children.ts');
const { startLightly } = await import('./io/compiler.ts');

/** Every program and process of the project starts here and loads only what its role needs. */
export async function main(program: string, argv: readonly string[]): Promise<void> {
  const { forgetNodeVariables, refuseDebugger } = await import('./io/node.ts');
  await refuseDebugger();
  forgetNodeVariables();
  startLightly();
  if (program === 'vipkeeper') return (await import('./app/operator/cli.ts')).runCli(argv);
  if (program === 'vipkeeper-witness') return (await import('./app/witness.ts')).runWitness(argv);
  // Before anything that takes time: what comes now is done when there is somebody to do it.
  const { endBySignal, onSignal, takeSignals } = await import('./io/signals.ts');
  takeSignals();
  onSignal('STOP', () => endBySignal('SIGTERM'));
  return (await import('./app/daemon.ts')).runDaemon(argv);
}

/** A child of the supervisor: this module is then the program itself. */
async function child(role: string): Promise<void> {
  (await import('./io/seclusion.ts')).seclude();
  const [{ dropSignals }, { UNHEARD_BY_CHILDREN }] = await Promise.all([
    import('./io/signals.ts'),
    import('./core/supervision/signals.ts'),
  ]);
  dropSignals(UNHEARD_BY_CHILDREN);
  if (role === 'vrrp') return (await import('./app/vrrp/process.ts')).runVrrp();
  startLightly();
  if (role === 'check') return (await import('./app/check/process.ts')).runCheckProcess();
  if (role === 'sync') return (await import('./app/sync.ts')).runSync();
  throw new Error(`no such role: ${role}`);
}

const role = spawnedRole(process.argv.slice(2));
if (role !== undefined) await child(role);
