import { familyOf, type Ip, isLinkLocal, isMulticast } from '../../ip.ts';
import { PARCEL_BYTES } from '../../sync/relay/parcel.ts';
import { PRIVATE_LINK, type RelaySettings, type SyncDaemonSettings } from '../../sync/settings.ts';
import type { syncRelay } from '../grammar/relay.ts';
import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import { Section } from '../tree.ts';
import type { Context } from './context.ts';
import { globalSection } from './global.ts';
import { checkKey } from './key.ts';

const PORT = 5408;
/** Of the payload of UDP over IPv6. */
const MOST_BYTES = 65_487;

interface Place {
  readonly address: Ip;
  readonly port: number;
  readonly at: Token;
}

/** The relay of the block `sync_relay`; `undefined` without it, and where it lacks something. */
export function buildRelay(
  file: Section<typeof root>,
  daemon: SyncDaemonSettings | undefined,
  context: Context,
): RelaySettings | undefined {
  const blocks = file.all('sync_relay');
  const [at] = blocks.map(({ keyword }) => keyword);
  if (at === undefined) return undefined;
  checkDaemon(file, daemon, at, context);
  const section: Section<typeof syncRelay> = Section.joined(blocks);
  const key = section.last('key_file');
  const local = section.last('local');
  const peers = section.all('peer').map(placeOf);
  if (!section.damaged) {
    const hint = 'sync_relay { key_file FILE  local ADDRESS  peer ADDRESS }';
    const missing = [
      ...(key ? [] : ['key_file']),
      ...(local ? [] : ['local']),
      ...(peers[0] ? [] : ['peer']),
    ];
    for (const word of missing) context.findings.error(at, `sync_relay has no ${word}`, { hint });
  }
  if (key !== undefined) checkKey(key.values[0], key.words[0] ?? key.keyword, context);
  if (key === undefined || local === undefined) return undefined;
  const own = placeOf(local);
  checkPlaces(own, peers, context);
  return {
    keyFile: key.values[0],
    local: own.address,
    port: own.port,
    peers: peers.map(({ address, port }) => ({ address, port })),
  };
}

function placeOf(entry: {
  readonly keyword: Token;
  readonly values: readonly [Ip, number | undefined];
}): Place {
  const [address, port] = entry.values;
  return { address, port: port ?? PORT, at: entry.keyword };
}

/** What `lvs_sync_daemon` says of the network means the private link. */
function checkDaemon(
  file: Section<typeof root>,
  daemon: SyncDaemonSettings | undefined,
  at: Token,
  { findings }: Context,
): void {
  const line = globalSection(file).token('lvs_sync_daemon');
  if (daemon === undefined || line === undefined) {
    findings.error(at, 'sync_relay needs lvs_sync_daemon', {
      hint: `in global_defs: lvs_sync_daemon ${PRIVATE_LINK} VRRP_INSTANCE`,
    });
    return;
  }
  if (daemon.interface !== PRIVATE_LINK)
    findings.error(
      line,
      `with sync_relay the kernel syncs on ${PRIVATE_LINK}, and not on ${daemon.interface}`,
      {
        hint: `write lvs_sync_daemon ${PRIVATE_LINK}: the interface is made, and nothing but this host is on it`,
      },
    );
  for (const word of ['ttl', 'group'] as const) {
    if (daemon[word] !== undefined)
      findings.error(
        line,
        `with sync_relay no datagram of lvs_sync_daemon leaves this host: it has no ${word}`,
      );
  }
  const most = MOST_BYTES - PARCEL_BYTES;
  if (daemon.maxlen !== undefined && daemon.maxlen > most)
    findings.error(line, `with sync_relay maxlen is at most ${most}`);
}

function checkPlaces(own: Place, peers: readonly Place[], { findings }: Context): void {
  const seen = new Set<Ip>([own.address]);
  for (const { address, at } of peers) {
    if (seen.has(address)) findings.error(at, `${address} is there twice in sync_relay`);
    seen.add(address);
    if (familyOf(address) !== familyOf(own.address))
      findings.error(at, `${address} can't be reached from ${own.address}: one is IPv4, the other IPv6`);
  }
  for (const { address, at } of [own, ...peers]) {
    if (isLinkLocal(address) || isMulticast(address))
      findings.error(at, `${address} is no address of a director on all interfaces`, {
        hint: 'give one that is neither link-local nor multicast',
      });
  }
}
