import { type Prefix, parsePrefix } from '../../ip.ts';
import * as arg from '../arguments.ts';
import type { Token } from '../lex.ts';
import { type Argument, flag, keyword, type Words } from '../schema.ts';

/** `use_vmac`'s words. The MAC address may lack its last octet, which is the VRID then. */
export interface VmacWords {
  readonly name?: string;
  readonly mac?: string;
  readonly group?: number;
}

/** `use_ipvlan`'s words. */
export interface IpvlanWords {
  readonly name?: string;
  readonly address?: Prefix;
  readonly mode?: 'bridge' | 'private' | 'vepa';
  readonly group?: number;
}

const MAC = /^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){4,5}$/i;
const group = arg.integer('N', 0, 0xffff_ffff);

/** Six or five octets of two lower-case digits; the first must not be a group's address. */
function macOf(word: Token): string | undefined {
  if (!MAC.test(word.text)) return undefined;
  const octets = word.text.toLowerCase().split(':');
  return octets.map((octet) => octet.padStart(2, '0')).join(':');
}

/** The interface's name: bare, or after `name` where it looks like another word. */
function nameOf(words: Words, word: Token): string | undefined {
  if (word.text === 'name') return arg.interfaceName.read(words);
  if (/^[^\s/:]{1,15}$/.test(word.text)) return word.text;
  return words.fault(`expected an interface name of at most 15 characters, found '${word.text}'`, word);
}

/** Reads words in any order; `special` takes those that are no name. */
function anyOrder<T extends { name?: string; group?: number }>(
  words: Words,
  special: (word: Token, found: T) => boolean,
): T | undefined {
  const found = {} as T;
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word.text === 'group') {
      const number = group.read(words);
      if (number !== undefined) found.group = number;
    } else if (!special(word, found)) {
      if (found.name !== undefined) return words.fault(`it has a name already: ${found.name}`, word);
      const name = nameOf(words, word);
      if (name !== undefined) found.name = name;
    }
    if (words.failed) return undefined;
  }
  return found;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const vmacWords: Argument<VmacWords> = {
  syntax: '[[name] IF] [MAC] [netlink_notify_msg] [group N]',
  expects: 'the name of the interface, a MAC address, group',
  choices: ['name', 'group', 'netlink_notify_msg'],
  read: (words) =>
    anyOrder<Mutable<VmacWords>>(words, (word, found) => {
      const mac = macOf(word);
      if (mac !== undefined) found.mac = mac;
      if (mac !== undefined && (Number.parseInt(mac, 16) & 1) === 1) {
        words.fault('an interface cannot have the MAC address of a group', word);
      }
      return mac !== undefined || word.text === 'netlink_notify_msg';
    }),
};

const MODES = ['bridge', 'private', 'vepa'] as const;
const ipvlanWords: Argument<IpvlanWords> = {
  syntax: '[[name] IF] [ADDR] [bridge|private|vepa] [group N]',
  expects: 'the name of the interface, its address, a mode, group',
  choices: ['name', 'group', ...MODES],
  read: (words) =>
    anyOrder<Mutable<IpvlanWords>>(words, (word, found) => {
      const mode = MODES.find((known) => known === word.text);
      const address = parsePrefix(word.text);
      if (mode !== undefined) found.mode = mode;
      if (address !== undefined) found.address = address;
      return mode !== undefined || address !== undefined;
    }),
};

/** The keywords of interfaces that a virtual router has of its own. */
export const vmacKeywords = {
  use_vmac: keyword('run on a macvlan with the virtual MAC address (RFC 9568, 7.3)', [vmacWords], {
    default: 'the name is vrrp.VRID',
  }),
  use_vmac_addr: flag('VIPs on other interfaces, or of the other family, get VMACs too'),
  vmac_xmit_base: flag('adverts leave from the interface below; so do unicast ones always'),
  use_ipvlan: keyword('run on an ipvlan (mode L2) with an address of its own', [ipvlanWords], {
    default: 'the name is vrrp.VRID; mode bridge',
  }),
};
