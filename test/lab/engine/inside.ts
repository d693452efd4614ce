import { FEWER } from '../../repetitions.ts';
import { describeExit, type Env } from './frames.ts';
import { Kernel } from './kernel.ts';

/**
 * `inside FOLDER FILE`, in an enclosure: boots a kernel and runs a compiled scenario inside. Its output is
 * this program's, and its exit status too; FOLDER takes what it leaves (captures, the kernel's console).
 */
const PASSED_ON = ['FORCE_COLOR', 'VIPKEEPER_LONG', FEWER];
const [folder = '', file = ''] = process.argv.slice(2);
const kernel = await Kernel.boot({ name: 'kernel', folder, memoryMiB: 2000 });
const env: Env = {
  LAB_ENCLOSED: '1',
  LAB_RESULTS: '/lab',
  ...Object.fromEntries(
    PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  ),
};
const scenario = kernel.start(
  [process.execPath, file],
  (stream, text) => (stream === 'out' ? process.stdout : process.stderr).write(text),
  env,
);
const status = await scenario.ended;
await kernel.run('sync');
kernel.powerOff();
if (!('code' in status)) console.error(`the scenario: ${describeExit(status)}`);
process.exitCode = 'code' in status ? status.code : 1;
