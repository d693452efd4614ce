import { type Duration, millis } from '../../time.ts';
import * as arg from '../arguments.ts';
import { type Argument, block, flag, keyword, unexpected } from '../schema.ts';

/** Milliseconds with up to three decimals, as only BFD has them. */
const milliseconds = (low: number, high: number): Argument<Duration> => ({
  syntax: 'MS',
  expects: `milliseconds from ${low} to ${high}, with up to 3 decimals`,
  read(words) {
    const word = words.take();
    if (word === undefined) return words.fault(`needs MS: ${this.expects}`);
    const value = /^\+?\d{1,8}(\.\d{0,3})?$/.test(word.text) ? Number(word.text) : Number.NaN;
    return value >= low && value <= high ? millis(value) : unexpected(words, word, this);
  },
});

const LONGEST = 4_294_967;
const ttl = [arg.integer('N', 1, 255)] as const;

/** `bfd_instance` (keepalived: bfd/bfd_parser.c). */
export const bfdInstance = {
  source_ip: keyword('local address', [arg.address], { default: 'any' }),
  neighbor_ip: keyword('the peer', [arg.address]),
  neighbour_ip: keyword('the peer', [arg.address], { alias: 'neighbor_ip' }),
  min_rx: keyword('least interval at which packets can be received', [milliseconds(1, LONGEST)], {
    default: '10',
  }),
  min_tx: keyword('wished interval of packets', [milliseconds(1, LONGEST)], { default: '10' }),
  idle_tx: keyword('interval while the session is not Up', [milliseconds(1000, LONGEST)], {
    default: '1000',
  }),
  multiplier: keyword('missed packets before the session is down', [arg.integer('N', 1, 255)], {
    default: '5',
  }),
  passive: flag('wait for the peer to begin'),
  ttl: keyword('TTL of what is sent; between two ends on one link all but keepalived want 255', ttl, {
    default: '255; 64 for IPv6',
  }),
  hoplimit: keyword('hop limit of what is sent', ttl, { alias: 'ttl', default: '64' }),
  max_hops: keyword('hops that a received packet may have taken; -1: any', [arg.integer('N', -1, 255)], {
    default: '0',
  }),
  multihop: keyword(
    'use the port of multihop sessions, 4784; max_hops is to allow for the hops',
    [arg.bool],
    {
      default: 'off',
    },
  ),
  weight: keyword(
    'default of track_bfd lines',
    [arg.integer('N', -253, 253), arg.optional(arg.choice('reverse', 'noreverse'))],
    { default: '0' },
  ),
  vrrp: flag('its state is for VRRP only, unless checker is there too'),
  checker: flag('its state is for checkers only, unless vrrp is there too'),
};

export const bfdInstanceBlock = block('one BFD session (RFC 5880)', [arg.text('NAME', 31)], bfdInstance, {
  repeat: true,
});
