import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import { Checker } from '../../src/core/check/checker.ts';
import type { TcpCheck } from '../../src/core/check/settings.ts';
import { ip } from '../../src/core/ip.ts';
import { micros, seconds } from '../../src/core/time.ts';
import { Driver } from '../../src/io/drive.ts';
import { startProbe } from '../../src/io/probes.ts';

/**
 * `checks-load RATE`: what the check process does for so many TCP checks each second, without a table, until it is
 * killed; the servers are in a process of their own. Prints each second how many checks ended.
 */
const PORT = 9000;
const SERVERS = 5000;

const rate = Number(process.argv[2]);
if (process.argv[2] === 'servers') {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  server.listen({ port: PORT, host: '0.0.0.0', backlog: 4096 }, () => process.send?.('ready'));
  process.on('disconnect', () => process.exit());
} else {
  fork(process.argv[1] ?? '', ['servers']).once('message', check);
}

function check(): void {
  const period = micros((1e6 * SERVERS) / rate);
  const checkOf = (n: number): TcpCheck => ({
    kind: 'tcp',
    ...{ address: ip(`127.1.${n >> 8}.${n & 0xff}`), port: PORT, timeout: seconds(5) },
    ...{ period, warmup: period, retries: 0, retryDelay: seconds(1), alpha: false },
  });
  const targets = Array.from({ length: SERVERS }, (_, n) => ({
    server: `${n}`,
    weight: 1,
    checks: [checkOf(n)],
  }));
  let ended = 0;
  const driven = new Driver().attach(new Checker(), (effects) => {
    for (const effect of effects) {
      if (effect.type !== 'probe') continue;
      startProbe(effect.check, effect.part, (result) => {
        ended++;
        driven.handle({ type: 'outcome', id: effect.id, result });
      });
    }
  });
  driven.handle({ type: 'configure', targets });
  setInterval(() => {
    process.stdout.write(`${ended}\n`);
    ended = 0;
  }, 1000);
}
