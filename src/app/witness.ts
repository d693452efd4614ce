import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { counted } from '../core/counted.ts';
import { Witness } from '../core/fence/witness.ts';
import type { Seal } from '../core/sealed.ts';
import { type Duration, seconds } from '../core/time.ts';
import { command, InvalidArgumentError, wholeNumber } from '../io/arguments.ts';
import { now, utc } from '../io/clock.ts';
import { DatagramSocket } from '../io/datagrams.ts';
import { BadKey, readKey } from '../io/keyring.ts';
import { type Log, openLog } from '../io/log.ts';
import { ServiceNotifier } from '../io/notify.ts';
import { VERSION } from './version.ts';

const PROGRAM = 'vipkeeper-witness';
const KEY_FILE = '.key';
const REPORT_MS = 60_000;
const EXIT_FAILED = 1;
const EXIT_NO_KEYS = 2;
const DAEMON_FACILITY = 3;

interface WitnessOptions {
  readonly listen: { readonly address: string; readonly port: number };
  readonly keys: string;
  readonly name: string;
  readonly longest: Duration;
  readonly margin: number;
}

/** Where a witness listens unless told otherwise. */
const LISTEN = { address: '::', port: 5407 };

const EXAMPLES = `
Examples:
  openssl rand -hex 32 > /etc/vipkeeper/witness.d/web.key   a key for the cluster "web"; the directors get the same
  vipkeeper-witness                                         a witness for every cluster that has a key there
  vipkeeper-witness --listen 192.0.2.9:5407                 on one address only
  kill -HUP PID                                             read the keys again`;

/** `10.0.0.1:5407`, `[2001:db8::1]:5407`, or either without the port. */
function endpoint(text: string): WitnessOptions['listen'] {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i.exec(text);
  const port = Number(parts?.[3] ?? LISTEN.port);
  const address = parts?.[1] ?? parts?.[2];
  if (address === undefined || port > 65_535) throw new InvalidArgumentError('ADDRESS:PORT is wanted.');
  return { address, port };
}

function optionsOf(argv: readonly string[]): WitnessOptions {
  const parsed = command(
    PROGRAM,
    'The third vote for pairs of directors: it promises its vote to one of them at a time.',
  )
    .version(VERSION, '-v, --version')
    .option('-l, --listen <ADDRESS:PORT>', 'where directors reach it', endpoint, LISTEN)
    .option('-k, --keys <FOLDER>', 'a file CLUSTER.key for each cluster', '/etc/vipkeeper/witness.d')
    .option('-n, --name <NAME>', 'as the directors call it', 'witness')
    .option(
      '--longest <SECONDS>',
      'no promise is longer; after a start it is silent as long',
      wholeNumber(1, 3600),
      60,
    )
    .option('--margin <PERCENT>', 'how much faster one clock may go than another', wholeNumber(0, 50), 1)
    .addHelpText('after', EXAMPLES)
    .parse(argv, { from: 'user' });
  const { listen, keys, name, longest, margin } = parsed.opts();
  return { listen, keys, name, longest: seconds(longest), margin: margin / 100 };
}

/** Runs the witness until it is stopped. */
export async function runWitness(argv: readonly string[]): Promise<void> {
  const options = optionsOf(argv);
  const log = openLog({ console: true, syslog: false, detail: false, facility: DAEMON_FACILITY });
  const { name, longest, margin } = options;
  const witness = new Witness({ name, longest, margin, life: randomBytes(8).toString('hex') });
  if (!takeKeys(witness, options.keys, log)) process.exit(EXIT_NO_KEYS);
  const rejected = new Map<string, number>();
  const socket = await listen(options, witness, rejected, log);
  process.on('SIGHUP', () => void takeKeys(witness, options.keys, log));
  setInterval(() => report(rejected, log), REPORT_MS);
  const { address } = options.listen;
  log.log(
    'notice',
    `${PROGRAM} ${VERSION} listens on ${address}, port ${socket.port}, for ${witness.clusters.join(', ')}`,
  );
  new ServiceNotifier().ready(counted(witness.clusters.length, 'cluster'));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
}

/** Whether there is any. What runs goes on with the keys that it has when the folder cannot be read. */
function takeKeys(witness: Witness, folder: string, log: Log): boolean {
  const seals = new Map<string, Seal>();
  try {
    for (const file of readdirSync(folder).filter((each) => each.endsWith(KEY_FILE))) {
      try {
        seals.set(basename(file, KEY_FILE), readKey(join(folder, file)));
      } catch (error) {
        if (!(error instanceof BadKey)) throw error;
        log.log('error', error.message);
      }
    }
  } catch (error) {
    log.log('error', `cannot read the keys: ${(error as Error).message}`);
    return false;
  }
  if (seals.size === 0) {
    log.log(
      'error',
      `no usable CLUSTER${KEY_FILE} in ${folder}: openssl rand -hex 32 > ${folder}/CLUSTER${KEY_FILE}`,
    );
    return false;
  }
  witness.configure(seals, now());
  return true;
}

async function listen(
  { listen: { address, port } }: WitnessOptions,
  witness: Witness,
  rejected: Map<string, number>,
  log: Log,
): Promise<DatagramSocket> {
  const take = (datagram: Uint8Array, from: { readonly address: string; readonly port: number }): void => {
    const reply = witness.receive(datagram, now(), utc());
    if (reply.ok) {
      for (const each of reply.datagrams) socket.send(each, from);
      return;
    }
    if (reply.reason === 'overtaken') return;
    const what = `${reply.reason}${reply.cluster === undefined ? '' : ` (cluster ${JSON.stringify(reply.cluster)})`}`;
    // Names in forged datagrams are anybody's: they are counted by reason once there are many.
    const key = rejected.size < 20 || rejected.has(what) ? what : reply.reason;
    if (!rejected.has(key))
      log.log('warning', `dropped a datagram from ${from.address}: ${what}; more are counted`);
    rejected.set(key, (rejected.get(key) ?? 0) + 1);
  };
  const failed = (error: Error): void => log.log('error', `the socket: ${error.message}`);
  let socket: DatagramSocket;
  try {
    socket = await DatagramSocket.open(address, port, take, failed);
  } catch (error) {
    process.stderr.write(`${PROGRAM}: cannot listen: ${(error as Error).message}\n`);
    process.exit(EXIT_FAILED);
  }
  return socket;
}

function report(rejected: Map<string, number>, log: Log): void {
  for (const [what, count] of rejected) {
    if (count > 0) log.log('warning', `dropped ${counted(count, 'datagram')} in the last minute: ${what}`);
  }
  rejected.clear();
}
