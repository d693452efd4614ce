import * as arg from '../arguments.ts';
import { block, keyword } from '../schema.ts';
import { ours } from './ours.ts';

const place = [arg.address, arg.optional(arg.port)] as const;

/** `sync_relay`: connection sync goes from daemon to daemon. */
export const syncRelay = ours({
  key_file: keyword('the key that seals the datagrams: openssl rand -hex 32', [arg.text('FILE')]),
  local: keyword('where this director sends from and listens: what is peer at the others', place, {
    default: 'port 5408',
  }),
  peer: keyword('another director: what is local there', place, { repeat: true, default: 'port 5408' }),
});

export const syncRelayBlock = block(
  'connection sync by unicast, encrypted, instead of by multicast that anybody can forge; lvs_sync_daemon names ' +
    'the interface vksync then, which is made',
  [],
  syncRelay,
  { ours: true },
);
