import { spawn } from 'node:child_process';
import type { AgentAction, AgentEnd, DeviceSettings } from '../core/fence/agent.ts';
import { toMillis, toSeconds } from '../core/time.ts';
import { afresh } from './afresh.ts';
import { killGroup } from './programs.ts';

/** What an agent says is kept to its end: some print a lot. */
const ROOM = 500;

/**
 * Runs a fence agent: its parameters as lines on standard input, never in its arguments, where every user could see
 * them. `ended` is called once; one that takes longer than the device's timeout is killed with what it started.
 */
export function runAgent(device: DeviceSettings, action: AgentAction, ended: (end: AgentEnd) => void): void {
  const { agent, parameters, timeout } = device;
  const { command, identity } = afresh([agent], undefined);
  const [program = '', ...words] = command;
  let said = '';
  let over = false;
  const end = (status: number | null, why?: string): void => {
    if (over) return;
    over = true;
    clearTimeout(limit);
    const words = said.replace(/\s+/g, ' ').trim();
    ended({ status, said: [why, words].filter(Boolean).join(': ') });
  };
  const child = spawn(program, words, {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
    ...identity,
  });
  const limit = setTimeout(() => {
    killGroup(child.pid, 'SIGKILL');
    end(null, `it took longer than ${toSeconds(timeout)} s`);
  }, toMillis(timeout));
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      said = (said + text.toString('utf8')).slice(-ROOM);
    });
    stream.on('error', () => undefined);
  }
  child.on('error', (error) => end(null, error.message));
  child.on('close', (status, signal) =>
    end(status, signal === null ? undefined : `it was ended by ${signal}`),
  );
  child.stdin.on('error', () => undefined);
  const lines = Object.entries({ ...parameters, action }).map(([name, value]) => `${name}=${value}\n`);
  child.stdin.end(lines.join(''));
}
