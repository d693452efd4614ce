import { familyOf, type Ip } from '../ip.ts';

/**
 * What a host of a virtual server cluster needs of its kernel, one setting each, and the commands of ip(8),
 * sysctl(8), nft(8) and modprobe(8) that make it so and take it back. The commands that `--dry-run` prints are
 * the ones that are run.
 */
export type Setting =
  /** A kernel module; that the device or sysctl `sign` is there shows that it is, built in or loaded. */
  | { readonly kind: 'module'; readonly name: string; readonly sign: string }
  /** The device is up. */
  | { readonly kind: 'link'; readonly device: string }
  /** The device has the address alone: /32 or /128. */
  | { readonly kind: 'address'; readonly device: string; readonly address: Ip }
  /** `key` as below /proc/sys; a value of `enough` does as well. */
  | {
      readonly kind: 'sysctl';
      readonly key: string;
      readonly value: string;
      readonly enough?: readonly string[];
    }
  /** What leaves this network through the host gets the host's address. */
  | { readonly kind: 'masquerade'; readonly network: string };

/**
 * A setting that was made. A sysctl remembers its value before, and the values of others that go along with it
 * and would not come back with it.
 */
export type Change =
  | Exclude<Setting, { readonly kind: 'sysctl' }>
  | {
      readonly kind: 'sysctl';
      readonly key: string;
      readonly value: string;
      /** `undefined` where the sysctl is not there yet: its module comes first. */
      readonly was: string | undefined;
      readonly beside: Readonly<Record<string, string>>;
    };

/** What a host is like. */
export interface HostFacts {
  /** Values by their path below /proc/sys. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly devices: readonly DeviceFacts[];
  /** Modules that are loaded. */
  readonly modules: readonly string[];
  /** Tables of nftables: `ip NAME`. */
  readonly tables: readonly string[];
}

export interface DeviceFacts {
  readonly name: string;
  readonly up: boolean;
  readonly addresses: readonly { readonly address: Ip; readonly length: number }[];
}

export type Argv = readonly string[];

const fullLength = (address: Ip): number => (familyOf(address) === 4 ? 32 : 128);

/** With dots, as people write it, unless an interface's name has one: sysctl(8) takes both. */
export const sysctlName = (key: string): string => (key.includes('.') ? key : key.replaceAll('/', '.'));
const setSysctl = (key: string, value: string): Argv => ['sysctl', '-w', `${sysctlName(key)}=${value}`];

const nftFamily = (network: string): string => (network.includes(':') ? 'ip6' : 'ip');
/** The table that masquerades a network, which has it for itself: `ip vipkeeper_10_0_0_0_24`. */
export const masqueradeTable = (network: string): string =>
  `${nftFamily(network)} vipkeeper_${network.replace(/[^0-9a-f]/g, '_')}`;

/** The commands that make a setting, in order. */
export function makeCommands(change: Change): Argv[] {
  switch (change.kind) {
    case 'module':
      return [['modprobe', change.name]];
    case 'link':
      return [['ip', 'link', 'set', change.device, 'up']];
    case 'address':
      return [addressCommand('add', change.address, change.device)];
    case 'sysctl':
      return [setSysctl(change.key, change.value)];
    case 'masquerade':
      return masqueradeCommands(change.network);
  }
}

function addressCommand(verb: 'add' | 'del', address: Ip, device: string): Argv {
  const words = ['ip', 'address', verb, `${address}/${fullLength(address)}`, 'dev', device];
  // Deprecated from the start: it serves, and nothing is sent from it that was not asked for.
  return familyOf(address) === 6 && verb === 'add' ? [...words, 'preferred_lft', '0'] : words;
}

function masqueradeCommands(network: string): Argv[] {
  const family = nftFamily(network);
  const table = masqueradeTable(network).split(' ');
  return [
    ['nft', 'add', 'table', ...table],
    ['nft', 'add', 'chain', ...table, 'postrouting', '{ type nat hook postrouting priority 100 ; }'],
    ['nft', 'add', 'rule', ...table, 'postrouting', family, 'saddr', network]
      .concat(family, 'daddr', '!=', network)
      .concat('masquerade'),
  ];
}

/** The commands that take a change back. */
export function undoCommands(change: Change): Argv[] {
  switch (change.kind) {
    case 'module':
      return [['modprobe', '-r', change.name]];
    case 'link':
      return [['ip', 'link', 'set', change.device, 'down']];
    case 'address':
      return [addressCommand('del', change.address, change.device)];
    case 'sysctl': {
      const beside = Object.entries(change.beside).map(([key, value]) => setSysctl(key, value));
      return change.was === undefined ? [] : [setSysctl(change.key, change.was), ...beside];
    }
    case 'masquerade':
      return [['nft', 'delete', 'table', ...masqueradeTable(change.network).split(' ')]];
  }
}

/** What a change or setting is about, in a few words; the same for all that concern the same thing. */
export function subjectOf(setting: Setting | Change): string {
  switch (setting.kind) {
    case 'module':
      return `module ${setting.name}`;
    case 'link':
      return `link ${setting.device}`;
    case 'address':
      return `address ${setting.address}/${fullLength(setting.address)} on ${setting.device}`;
    case 'sysctl':
      return sysctlName(setting.key);
    case 'masquerade':
      return `masquerading of ${setting.network}`;
  }
}

/** A command as it may be typed into a shell. */
export const shellLine = (argv: Argv): string =>
  argv.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
