import { familyOf, type Ip, type Prefix, parseIp, parsePrefix } from '../../ip.ts';
import { integerOr, interfaceName, type Options, options, prefix, present, text } from '../arguments.ts';
import type { Argument } from '../schema.ts';

/** Scope names of rtnetlink (linux/rtnetlink.h, RT_SCOPE_*) and any number. */
const SCOPES: ReadonlyMap<string, number> = new Map([
  ['global', 0],
  ['universe', 0],
  ['site', 200],
  ['link', 253],
  ['host', 254],
  ['nowhere', 255],
]);

const scope: Argument<number> = {
  syntax: 'SCOPE',
  expects: 'global, site, link, host, nowhere or a number from 0 to 255',
  choices: [...SCOPES.keys()],
  read(words) {
    const word = words.take();
    if (word === undefined) return words.fault('scope needs a value');
    const number = /^\d{1,3}$/.test(word.text) && Number(word.text) <= 255 ? Number(word.text) : undefined;
    return (
      SCOPES.get(word.text) ?? number ?? words.fault(`expected ${this.expects}, found '${word.text}'`, word)
    );
  },
};

const broadcast: Argument<Ip | '+' | '-'> = {
  syntax: 'ADDR|+|-',
  expects: 'an IPv4 address, + or -',
  read(words) {
    const word = words.take();
    if (word?.text === '+' || word?.text === '-') return word.text;
    const ip = word && parseIp(word.text);
    if (ip !== undefined && familyOf(ip) === 4) return ip;
    return words.fault(`expected ${this.expects}${word ? `, found '${word.text}'` : ''}`, word);
  },
};

const addressOptions = options({
  dev: interfaceName,
  scope,
  label: text('TEXT', 15),
  brd: broadcast,
  broadcast,
  peer: prefix,
  preferred_lft: integerOr('N', 0, 4_294_967_294, ['forever']),
  use_vmac: present,
  home: present,
  '-nodad': present,
  mngtmpaddr: present,
  noprefixroute: present,
  autojoin: present,
  no_track: present,
  track_group: text('NAME'),
});

/** One line of `virtual_ipaddress`. */
export interface AddressLine {
  readonly prefix: Prefix;
  readonly options: typeof addressOptions extends Argument<infer T> ? T : Options<never>;
}

/** `ADDR[/LEN]`, then options in any order (keepalived: vrrp_ipaddress). Without a length it is a host's. */
export const addressLine: Argument<AddressLine> = {
  syntax: `ADDR[/LEN] ${addressOptions.syntax}`,
  expects: 'an address line',
  read(words) {
    const word = words.take();
    const prefix = word && parsePrefix(word.text);
    if (prefix === undefined) {
      return words.fault(`expected an address such as 192.0.2.10/24, found '${word?.text ?? ''}'`, word);
    }
    const found = addressOptions.read(words);
    return found && { prefix, options: found };
  },
};
