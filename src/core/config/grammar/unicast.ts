import type { Ip } from '../../ip.ts';
import * as arg from '../arguments.ts';
import { type Argument, flag, keyword, lines } from '../schema.ts';

/** One line of `unicast_peer`. */
export interface PeerLine {
  readonly address: Ip;
  readonly min_ttl?: number;
  readonly max_ttl?: number;
}

const ttl = arg.integer('N', 0, 255);
const ttlOptions = arg.options({ min_ttl: ttl, max_ttl: ttl });
const peerLine: Argument<PeerLine> = {
  syntax: `ADDR ${ttlOptions.syntax}`,
  expects: 'an address, with the limits of its TTL or without',
  read(words) {
    const address = arg.address.read(words);
    const limits = address === undefined ? undefined : ttlOptions.read(words);
    return address && limits && { address, ...limits };
  },
};

/** The keywords of unicast adverts. */
export const unicastKeywords = {
  unicast_peer: lines('send adverts to these instead of multicast', peerLine),
  unicast_src_ip: keyword('source of unicast adverts', [arg.address], { default: "the interface's first" }),
  unicast_ttl: keyword('TTL of unicast adverts', [arg.integer('N', 0, 255)], { default: '255' }),
  unicast_fault_no_peer: flag('without peers: an error, instead of multicast'),
  check_unicast_src: keyword('only adverts of the peers count', [arg.bool], {
    default: 'vrrp_check_unicast_src',
  }),
  old_unicast_checksum: keyword('the checksum before 1.4', [arg.optional(arg.choice('never'))], {
    inert: 'adverts have the right checksum, both ways: a peer before keepalived 1.4 is to be updated',
  }),
};
