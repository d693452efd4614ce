import { root } from '../../../src/core/config/grammar/root.ts';
import type { Argument, Keyword, Table } from '../../../src/core/config/schema.ts';
import { Prng } from '../../../src/core/prng.ts';

/**
 * Configurations made from the keyword tables: whole ones, with more keywords drawn from the tables, values at the
 * edges of their ranges and beyond, keywords in the wrong block, words of old versions. All of the language but
 * what would change the machine that reads it.
 */
const LEFT_OUT = new Set([
  ...[
    'net_namespace',
    'net_namespace_ipvs',
    'config_save_dir',
    'tmp_config_directory',
    'instance',
    'use_pid_dir',
  ],
  // Of another kernel or build.
  ...[
    'use_ipvlan',
    'vrrp_iptables',
    'lvs_sync_daemon_interface',
    'vrrp_ipsets',
    'use_vmac',
    'use_vmac_addr',
    'vrf',
    'strict_mode',
    'vrrp_strict',
  ],
  // They need each other: written whole below.
  ...[
    'authentication',
    'auth_hmac',
    'lvs_sync_daemon',
    'virtual_ipaddress',
    'interface',
    'virtual_router_id',
  ],
  ...['unicast_src_ip', 'native_ipv6', 'version', 'process_names', 'namespace_with_ipsets'],
]);
const OLD_WORDS: Readonly<Record<string, readonly string[]>> = {
  global_defs: ['lvs_id LVS', 'plugin_dir /x'],
  vrrp_instance: ['lvs_sync_daemon_inteface eth0', 'garp_interval 1'],
  virtual_server: ['nat_mask 255.255.255.0', 'timeout 7'],
  TCP_CHECK: ['nb_get_retry 3'],
};
const MULTICAST: Readonly<Record<string, string>> = {
  vrrp_mcast_group4: '224.0.0.19',
  vrrp_mcast_group6: 'ff02::13',
  mcast_dst_ip: '224.0.0.20',
};
const WORDS: Readonly<Record<string, string>> = {
  IF: 'eth1',
  ADDR: '192.0.2.77',
  HOST: '192.0.2.25',
  USER: 'root',
  ':GROUP': 'root',
  ADDRESS: 'a@example.org',
  DOMAIN: 'example.org',
  MD5: '9b3a0c85a887a256d6939da88aabd8cd',
  HEX: '0a1b',
  PATTERN: '"a.b"',
  'NUM|IRUSR': '022',
  'CODE|FIRST-LAST': '200',
  CPU: '0',
  'MASK|LEN': '255.255.255.0',
};

class Generator {
  readonly #random: Prng;

  constructor(seed: number) {
    this.#random = new Prng(seed);
  }

  #chance(share: number): boolean {
    return this.#random.between(1, 100) <= share * 100;
  }

  /** A number of the range that an argument expects: at its edges, within, or beyond. */
  #number(expects: string): string | undefined {
    const range = /from (-?[\d.]+) to (-?[\d.]+)/.exec(expects);
    if (range === null) return undefined;
    const [low, high] = [Number(range[1]), Math.min(Number(range[2]), 250)];
    if (this.#chance(0.1)) return String(this.#random.pick([low - 1, Number(range[2]) + 1, 0]));
    if (!Number.isInteger(low) || this.#chance(0.3))
      return String(this.#random.pick([low, Math.max(low, 1)]));
    return String(this.#random.between(low, Math.max(low, high)));
  }

  #word(name: string, { syntax, expects, choices }: Argument<unknown>): string {
    const bare = syntax.replace(/[[\]]|\.\.\./g, '').trim();
    if (MULTICAST[name] !== undefined) return MULTICAST[name];
    if (bare === 'all SECS') return String(this.#random.pick([0, 1, 3]));
    if (choices !== undefined && !syntax.includes('[')) return this.#random.pick(choices);
    const number = this.#number(expects);
    if (number !== undefined) return number;
    if (bare === 'BOOL') return this.#random.pick(['', 'on', 'off', 'true', 'no']);
    if (bare.startsWith('SCRIPT'))
      return this.#random.pick(['/bin/true', '"/bin/echo a b"', '/bin/true root root']);
    if (/^(PATH|FILE|DIR)$/.test(bare)) return '/tmp/x';
    return WORDS[bare] ?? 'word';
  }

  /** One statement without a block. */
  #statement(name: string, { args }: Keyword): string {
    const words = args.flatMap((argument) => {
      const isOptional = argument.syntax.startsWith('[') && argument.syntax !== '[all] SECS';
      if (isOptional && (argument.choices !== undefined || this.#chance(0.6))) return [];
      return [this.#word(name, argument)];
    });
    return [name, ...words].join(' ');
  }

  /** Some statements that the table has, and perhaps some that it has not. */
  #some(table: Table, block: string, most: number): string[] {
    const names = Object.entries(table).filter(([name, spec]) => {
      return spec.body === undefined && spec.ours !== true && !LEFT_OUT.has(name);
    });
    const lines = Array.from({ length: this.#random.between(0, most) }, () => {
      const [name, spec] = this.#random.pick(names);
      return this.#statement(name, spec);
    });
    if (this.#chance(0.1)) lines.push(...(OLD_WORDS[block] ?? []));
    if (this.#chance(0.05))
      lines.push(this.#random.pick(['priority 100', 'weight 3', 'lb_algo rr', 'rise 2']));
    return lines;
  }

  #block(header: string, lines: readonly string[]): string[] {
    return [`${header} {`, ...lines.map((line) => `  ${line}`), '}'];
  }

  #table(...path: readonly string[]): Table {
    let table: Table = root;
    for (const name of path) {
      const body = table[name]?.body;
      if (body?.kind !== 'keywords') throw new Error(`${name} has no keywords`);
      table = body.table;
    }
    return table;
  }

  #instance(index: number): string[] {
    const pool = ['eth0', 'eth1'] as const;
    const device = this.#random.pick(pool);
    const count = this.#random.pick([1, 1, 2, 5, 300]);
    const addresses = Array.from({ length: count }, (_, i) => {
      const more = this.#random.pick(['', '/24', ' dev eth0', ' label eth0:1', ' scope link', '/24 brd +']);
      return `10.${index}.${i >> 8}.${i & 255}${more}`;
    });
    const blocks = [
      ...this.#block('virtual_ipaddress', addresses),
      ...(this.#chance(0.3) ? this.#block('virtual_ipaddress_excluded', ['fd00::1', `10.${index}.9.9`]) : []),
      ...(this.#chance(0.3) ? this.#block('virtual_routes', ['10.200.0.0/16 via 192.0.2.254 dev eth0']) : []),
      ...(this.#chance(0.3)
        ? this.#block('authentication', [
            'auth_type PASS',
            `auth_pass ${this.#random.pick(['x', 'toolongpass'])}`,
          ])
        : []),
      ...(this.#chance(0.2) ? this.#block('unicast_peer', ['192.0.2.1', '192.0.2.2', '192.0.2.2']) : []),
      ...(this.#chance(0.4)
        ? this.#block('track_script', [`script${this.#random.pick(['', ' weight 300', ' weight -3'])}`])
        : []),
      ...(this.#chance(0.2) ? this.#block('track_interface', ['eth1 weight 10']) : []),
      ...(this.#chance(0.2) ? this.#block('track_file', ['file']) : []),
    ];
    const basics = [`interface ${device}`, `virtual_router_id ${index + 10}`];
    return this.#block(`vrrp_instance V${index}`, [
      ...basics,
      ...this.#some(this.#table('vrrp_instance'), 'vrrp_instance', 8),
      ...blocks,
    ]);
  }

  #checker(): string[] {
    const kind = this.#random.pick([
      'TCP_CHECK',
      'HTTP_GET',
      'SMTP_CHECK',
      'DNS_CHECK',
      'MISC_CHECK',
      'PING_CHECK',
      'UDP_CHECK',
    ]);
    const table = this.#table('virtual_server', 'real_server', kind);
    const url = kind === 'HTTP_GET' ? this.#block('url', ['path /', 'status_code 200']) : [];
    const path = kind === 'MISC_CHECK' ? ['misc_path /bin/true'] : [];
    return this.#block(kind, [...url, ...path, ...this.#some(table, kind, 4)]);
  }

  #server(index: number): string[] {
    const kind = this.#random.pick(['NAT', 'DR', 'TUN', 'dr']);
    const reals = Array.from({ length: this.#random.between(1, 3) }, (_, i) =>
      this.#block(`real_server 198.51.100.${i} ${this.#random.pick(['80', '8080', '0', ''])}`.trim(), [
        ...this.#some(this.#table('virtual_server', 'real_server'), 'real_server', 3),
        ...(this.#chance(0.7) ? this.#checker() : []),
      ]),
    );
    return this.#block(`virtual_server 203.0.113.${index} 80`, [
      'protocol TCP',
      `lb_algo ${this.#random.pick(['rr', 'wlc', 'sh', 'mh'])}`,
      `lb_kind ${kind}`,
      ...this.#some(this.#table('virtual_server'), 'virtual_server', 5),
      ...reals.flat(),
    ]);
  }

  whole(): string {
    const lines = [
      ...this.#block('global_defs', this.#some(this.#table('global_defs'), 'global_defs', 6)),
      ...this.#block('vrrp_script script', [
        `script ${this.#random.pick(['/bin/true', '"/bin/false x"', '/nonexistent'])}`,
        ...this.#some(this.#table('vrrp_script'), 'vrrp_script', 3).filter(
          (line) => !line.startsWith('script'),
        ),
      ]),
      ...this.#block('track_file file', [
        'file /tmp/x',
        ...this.#some(this.#table('track_file'), '', 1).filter((line) => !line.startsWith('file')),
      ]),
      ...[1, 2, 3].slice(0, this.#random.between(0, 3)).flatMap((index) => this.#instance(index)),
      ...[1, 2].slice(0, this.#random.between(0, 2)).flatMap((index) => this.#server(index)),
    ];
    return `${lines.join('\n')}\n`;
  }
}

/** The configuration of a seed: the same in each run. */
export const generated = (seed: number): string => new Generator(seed).whole();
