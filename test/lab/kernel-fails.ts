import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { Kernel, type KernelOptions } from './engine/kernel.ts';
import { Scene } from './scene/scene.ts';

/** The lab says what is wrong when a kernel does not boot, dies or is asked for what it cannot do. */
export const needs = 'host';

const story = suite('a kernel that fails');
const scene = new Scene();
story.after(() => scene.close());

async function failure(options: Partial<KernelOptions>): Promise<string> {
  const booting = Kernel.boot({ name: 'bad', folder: scene.folder, ...options });
  return booting.then(
    () => 'it booted',
    (error: Error) => error.message,
  );
}

story('too little memory: the error has the end of the console', async () => {
  assert.match(await failure({ memoryMiB: 4 }), /kernel bad ended \(.*the end of its console:\n {2}\|/s);
});

story('a tap that is not there is no reason to hang', async () => {
  const kernel = await Kernel.boot({ name: 'alone', folder: scene.folder, taps: ['nowhere'] });
  assert.not.match(await kernel.run('ip -br link'), 'vec0 .*UP');
  kernel.powerOff();
});

story('a command that fails says where, what, and what it printed', async () => {
  const machine = await scene.machine('box');
  const error = await machine.run('echo so far; ls /nowhere').catch((reason: Error) => reason);
  assert.instance(error, Error);
  assert.match(String(error), /in kernel box: echo so far.*exit status 2\nls: cannot access '\/nowhere'/s);
  assert.equal(await machine.kernel.attempt(['nothing-of-this-name']), {
    status: { error: 'spawn nothing-of-this-name ENOENT' },
    stdout: '',
    stderr: '',
  });
});

story.run();
