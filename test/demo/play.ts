import { styleText } from 'node:util';
import { AddressWatch } from '../lab/scene/address-watch.ts';
import { operator, statusOf } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { buildPair, stateOf, VIP } from '../lab/scene/pair.ts';
import { Scene } from '../lab/scene/scene.ts';
import { Client, ECHO_PORT, HTTP_PORT, realServer } from '../lab/scene/traffic.ts';

/** The story of the demonstration: a pair of directors on the real IPVS, live traffic, two deaths, a summary. */
const CONNECTIONS = 100;
const coloured = Boolean(process.env.FORCE_COLOR);
const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
  coloured ? styleText(style, text) : text;
const began = performance.now();
const failures: string[] = [];

const title = (text: string): void => console.log(`\n${paint('bold', text)}`);
const clock = (): string => paint('gray', `${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s`);
const say = (text: string): void => console.log(`${clock()}  ${text}`);
const note = (text: string): void => console.log(`          ${paint('gray', text)}`);

/** Says a fact, and remembers when it is not as it must be. */
function fact(holds: boolean, text: string): void {
  say(`${holds ? paint('green', '✔') : paint('red', '✘')} ${text}`);
  if (!holds) failures.push(text);
}

const ms = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
const show = (text: string): void => {
  for (const line of text.trimEnd().split('\n')) note(line);
};

title('The stage');
note('two directors, two real servers and a client, each a network namespace on two links');
const scene = new Scene();
const pair = buildPair(scene, { method: 'NAT' });
const { directors, servers, user, start } = pair;
const [one, two] = directors;
const watch = await AddressWatch.start(scene, directors);
say('it is built');
const summary: (readonly [string, string])[] = [];

async function elect(): Promise<void> {
  title('Two directors start');
  note('director1 has priority 150, director2 100; both check two real servers every second');
  for (const server of servers) await realServer(server);
  for (const director of directors) start(director);
  const runs = async (): Promise<boolean> => (await stateOf(one)) !== '' && (await stateOf(two)) !== '';
  say(`both run after ${ms(await scene.until('both run', runs, 120))}; they listen for a master first`);
  const elected = async (): Promise<boolean> =>
    (await stateOf(one)) === 'MASTER' && (await stateOf(two)) === 'BACKUP';
  await scene.until('director1 is master, director2 is backup', elected, 120);
  await scene.until('the VIP is on director1 alone', () => watch.holds(one, VIP) && !watch.holds(two, VIP));
  fact(one.has(VIP) && !two.has(VIP), `director1 is master and holds ${VIP}; director2 is backup`);
  show(one.run('ip', '-o', '-4', 'address', 'show', 'to', VIP).replace(/\\\s+/, ' '));
  note('^ the address has a lifetime: the lease, renewed with every advert');
  await scene.until('both real servers are in the table', () => bothServe(one));
}

const bothServe = (director: Host): boolean =>
  [ECHO_PORT, HTTP_PORT].every((port) => poolOf(director, port).length === 2);

/** The real servers of a service in a director's IPVS table, asked with ipvsadm. */
function poolOf(director: Host, port = HTTP_PORT): string[] {
  const table = director.run('ipvsadm', '-Ln', '-t', `${VIP}:${port}`);
  return Array.from(table.matchAll(/-> ([\d.]+):\d+ +Masq +[1-9]/g), (match) => match[1] ?? '');
}

async function serverDies(client: Client): Promise<void> {
  title('A real server dies');
  servers[1].kill();
  const took = await scene.until('rs2 has left the pool', () => poolOf(one).length === 1);
  fact(true, `rs2 was killed, and left the pool after ${ms(took)}`);
  const pages = [];
  for (let i = 0; i < 6; i++) pages.push(await client.get(`http://${VIP}:${HTTP_PORT}/`));
  fact(
    pages.every((page) => page === 'rs1'),
    `6 of 6 new requests are answered by ${[...new Set(pages)].join(' and ')}`,
  );
  await realServer(servers[1]);
  const back = await scene.until('rs2 is back', () => bothServe(one));
  fact(true, `rs2 was started again, and is back in the pool after ${ms(back)}`);
  summary.push(['A dead real server left the pool after', ms(took)]);
}

async function masterDies(client: Client): Promise<void> {
  title('The master is killed');
  const open = await client.open(CONNECTIONS, VIP);
  const shares = Object.entries(open.servers).map(([name, count]) => `${count} at ${name}`);
  fact(open.open === CONNECTIONS, `the client holds ${open.open} connections: ${shares.join(', ')}`);
  await client.everyConnectionAnswers();
  await scene.until('director2 knows the connections', () => pair.connections(two) >= CONNECTIONS);
  fact(true, `director2 knows ${pair.connections(two)} of them by connection sync`);
  await client.measure();
  one.kill('SIGKILL');
  say('every process of director1 is killed; its kernel, its links and its VIP stay');
  const gone = await scene.until('the VIP has left director1', () => !watch.holds(one, VIP));
  fact(true, `${VIP} left director1 after ${ms(gone)}, by itself: the kernel ended the lease`);
  const taken = gone + (await scene.until('the VIP is on director2', () => watch.holds(two, VIP)));
  await scene.until('director2 is master', async () => (await stateOf(two)) === 'MASTER');
  fact(true, `director2 is master and holds ${VIP} after ${ms(taken)}`);
  const after = await client.everyConnectionAnswers();
  const survivors = after.open;
  fact(
    survivors === CONNECTIONS && after.corrupt === 0,
    `${survivors} of ${CONNECTIONS} connections survived, every byte right`,
  );
  const waited = after.longestSilenceMilliseconds;
  say(`the longest silence that the client saw: ${ms(waited)}`);
  summary.push(['The dead master lost the VIP after', ms(gone)]);
  summary.push(['The other director had it after', ms(taken)]);
  summary.push(['The client waited at the longest', ms(waited)]);
  summary.push(['Open connections that survived', `${survivors} of ${CONNECTIONS}`]);
}

async function play(): Promise<void> {
  await elect();
  const client = await Client.start(user);
  await serverDies(client);
  await masterDies(client);
  title('What director2 says');
  show(operator(two, 'status'));
  const restarted = (await statusOf(two))?.processes.filter(({ restarts }) => restarts > 0) ?? [];
  if (restarted.length > 0) {
    fact(false, `its processes had to be started again: ${restarted.map(({ role }) => role).join(', ')}`);
    show(scene.tails());
  }
  title('Summary');
  const width = Math.max(...summary.map(([what]) => what.length));
  for (const [what, value] of summary) console.log(`  ${what.padEnd(width)}  ${paint('bold', value)}`);
}

const keep = process.argv.includes('--keep');
try {
  await play();
} catch (error) {
  failures.push((error as Error).message);
  console.log(`\n${paint('red', '✘')} ${(error as Error).message}`);
  show(scene.tails());
}
const verdict =
  failures.length === 0 ? paint('green', 'All is as it must be.') : paint('red', 'It did not go as it must.');
console.log(`\n${verdict}`);
process.exitCode = failures.length === 0 ? 0 : 1;
if (keep) {
  console.log('\u0000kept');
  setInterval(() => undefined, 1 << 30);
} else {
  scene.close();
  process.exit();
}
