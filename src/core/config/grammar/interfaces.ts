import type { Duration } from '../../time.ts';
import * as arg from '../arguments.ts';
import { type Argument, block, keyword, lines } from '../schema.ts';

/** ETHTOOL_GLINK and SIOCGMIIREG ask the driver for the very bit whose changes the kernel tells of by itself. */
export const POLLING = {
  inert: 'the kernel tells of each change of the very bit that polling would read from the driver',
};

/** `IF [MII|ETHTOOL|IOCTL]`. */
const linkbeatLine: Argument<string> = {
  syntax: 'IF [MII|ETHTOOL|IOCTL]',
  expects: 'an interface name, and how to ask it',
  read(words) {
    const name = arg.interfaceName.read(words);
    if (name !== undefined) arg.optional(arg.choice('MII', 'ETHTOOL', 'IOCTL')).read(words);
    return words.failed ? undefined : name;
  },
};

/** One line of `interface_up_down_delays`. */
export interface DelayLine {
  readonly interface: string;
  readonly down: Duration;
  readonly up?: Duration;
}
/** `IF DOWN [UP]`. keepalived's manual says that UP is DOWN when left out; its code takes 0. */
const delayLine: Argument<DelayLine> = {
  syntax: 'IF DOWN [UP]',
  expects: 'an interface name and one or two delays in seconds',
  read(words) {
    const seconds = arg.timer(0, 255, 'SECS');
    const name = arg.interfaceName.read(words);
    const down = words.failed ? undefined : seconds.read(words);
    const up = words.failed ? undefined : arg.optional(seconds).read(words);
    if (name === undefined || down === undefined || words.failed) return undefined;
    return { interface: name, down, ...(up === undefined ? {} : { up }) };
  },
};

const gap = [arg.timer(0.000001, 4294.967)] as const;

/** `garp_group` (keepalived: vrrp/vrrp_parser.c). */
const garpGroup = {
  garp_interval: keyword('gap between GARP frames', gap, { default: '0' }),
  gna_interval: keyword('gap between unsolicited NA', gap, { default: '0' }),
  interface: keyword('its only interface', [arg.interfaceName]),
  interfaces: lines('its interfaces', arg.interfaceName, { several: true }),
};

/** The blocks about interfaces. */
export const interfaceBlocks = {
  linkbeat_interfaces: lines('interfaces polled for their link', linkbeatLine, POLLING),
  interface_up_down_delays: lines('a change of a link is believed when it has lasted', delayLine),
  garp_group: block('interfaces that share a rate of GARP', [], garpGroup, { repeat: true }),
};
