import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { ReadStream, WriteStream } from 'node:tty';
import { STOLEN_FILE } from '../../patience.ts';
import { type ExitStatus, FrameReader, type FromAgent, frameLine, type ToAgent } from './frames.ts';

/**
 * Runs inside a booted kernel: starts programs as the lab tells it over the serial line named by its
 * argument, and sends back what they print and how they end. Each runs in a process group of its own.
 */
const line = process.argv[2] ?? '/dev/ttyS0';
const input = new ReadStream(openSync(line, 'r+'));
const output = new WriteStream(openSync(line, 'r+'));
input.setRawMode(true);

const running = new Map<number, ChildProcess>();
const send = (frame: FromAgent): void => void output.write(frameLine(frame));

function start(id: number, argv: readonly string[], env: Readonly<Record<string, string>>): void {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.set(id, child);
  const end = (status: ExitStatus): void => {
    if (running.delete(id)) send({ kind: 'end', id, status });
  };
  child.stdout
    .setEncoding('utf8')
    .on('data', (text: string) => send({ kind: 'output', id, stream: 'out', text }));
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => send({ kind: 'output', id, stream: 'err', text }));
  child.on('error', (error) => end({ error: error.message }));
  child.on('close', (code, signal) => end(signal === null ? { code: code ?? 0 } : { signal }));
}

function signal(id: number, name: NodeJS.Signals): void {
  const pid = running.get(id)?.pid;
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It ended in this moment; its end is reported by itself.
  }
}

const frames = new FrameReader<ToAgent>();
const decoder = new StringDecoder('utf8');
input.on('data', (piece: Buffer) => {
  send({ kind: 'taken', bytes: piece.length });
  for (const frame of frames.read(decoder.write(piece))) {
    if (frame.kind === 'start') start(frame.id, frame.argv, frame.env);
    else if (frame.kind === 'signal') signal(frame.id, frame.signal);
    else writeFileSync(STOLEN_FILE, `${frame.milliseconds}`);
  }
});
send({ kind: 'ready' });
