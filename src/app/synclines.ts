import { endpointName } from '../core/ip.ts';
import type { RelayPeerReport, SyncReport } from '../core/status/sync.ts';
import type { BulkFacts } from '../core/sync/bulk/facts.ts';
import { givenText, gotText } from '../core/sync/bulk/lines.ts';
import { healthTexts } from '../core/sync/health/lines.ts';
import { aligned, lasting, paint } from '../io/screen.ts';

/** What is known of connection sync, for `status` and `sync status`. */
export function syncLines({ role, running, bulk, health, relay }: SyncReport): string[] {
  const rows = running.map(({ role: has, interface: device, id, group, port }) => [
    has,
    device,
    `id ${id}`,
    ...(group === null || port === null ? [] : [`group ${group} port ${port}`]),
  ]);
  const wanted = role === undefined ? [] : role === 'both' ? ['master', 'backup'] : [role];
  const missing = wanted.filter((each) => !running.some((daemon) => daemon.role === each));
  return [
    ...aligned(rows.length > 0 ? rows : [['not running']], '  '),
    ...missing.map((each) => paint('red', `  the ${each} daemon should run and does not`)),
    ...(relay === null ? [] : relayLines(relay)),
    ...(health === undefined ? [] : healthTexts(health, agoText)).map(
      ({ text, isBad }) => `  ${isBad ? paint('red', text) : text}`,
    ),
    ...bulkLines(bulk).map((line) => `  ${line}`),
  ];
}

const agoText = (at: number): string => `${lasting(Math.max(0, (Date.now() - at) / 1000))} ago`;

const HEADER = ['PEER', 'HEARD', 'SENT', 'RECEIVED', 'LOST', 'NOT TAKEN'];

/** The other directors, and what became of their datagrams. */
function relayLines({ local, port, peers, strangers }: NonNullable<SyncReport['relay']>): string[] {
  const rows = peers.map((peer) => [
    endpointName(peer.address, peer.port),
    heardWord(peer),
    peer.unsent === 0 ? `${peer.sent}` : paint('yellow', `${peer.sent}, of which ${peer.unsent} failed`),
    `${peer.received}`,
    `${peer.lost}`,
    rejectedWord(peer),
  ]);
  const header = HEADER.map((name) => paint('gray', name));
  return [
    `  carried from ${endpointName(local, port)}, encrypted`,
    ...aligned([header, ...rows], '  '),
    ...(strangers === 0 ? [] : [paint('yellow', `  of unknown senders, not taken: ${strangers}`)]),
  ];
}

function heardWord({ heard, connected }: RelayPeerReport): string {
  if (heard === null) return paint('red', 'never');
  return connected ? `${heard.toFixed(1)} s ago` : paint('red', `silent for ${lasting(heard)}`);
}

function rejectedWord({ rejected }: RelayPeerReport): string {
  const words = Object.entries(rejected).map(([reason, count]) => `${count} ${reason}`);
  return words.length === 0 ? '0' : paint('yellow', words.join(', '));
}

/** What is known of copies of the whole table. */
function bulkLines({ trouble, asking, got, given, rejected }: BulkFacts): string[] {
  const when = (at: number): string => new Date(at).toLocaleString('sv');
  const refused = Object.entries(rejected).map(([reason, count]) => `${count} ${reason}`);
  return [
    ...(trouble === undefined ? [] : [paint('yellow', `copies of the whole table: ${trouble}`)]),
    ...(asking === undefined ? [] : [askingLine(asking)]),
    ...(got === undefined ? [] : [`last copy from ${got.from}, ${when(got.at)}: ${gotText(got)}`]),
    ...(given === undefined ? [] : [`last copy to ${given.to}, ${when(given.at)}: ${givenText(given)}`]),
    ...(refused.length === 0 ? [] : [`datagrams not acted on: ${refused.join(', ')}`]),
  ];
}

const askingLine = ({ requests, from, records = 0 }: NonNullable<BulkFacts['asking']>): string =>
  from === undefined
    ? `a copy of the whole table is asked for: ${requests} requests, no answer yet`
    : `a copy of the whole table comes from ${from}: ${records} records so far`;
