import * as arg from '../arguments.ts';
import { flag, type KeywordNotes, keyword, lines } from '../schema.ts';
import { lvsDefs } from './lvs.ts';
import { identity } from './tracking.ts';

const inert = (why: string): KeywordNotes => ({ inert: why });
const MEMORY = inert(
  'V8 ends a process whose memory is locked; MemorySwapMax=0 in the unit keeps it out of swap',
);
const SNMP = inert('there is no SNMP agent: vipkeeper status --json has the figures');
const DBUS = inert(
  'there is no D-Bus service: notify_fifo tells of changes, vipkeeper status --json of states',
);
// keepalived takes iptables where it is asked to, and nftables else; the rules do the same.
const IPTABLES = inert('the rules are made with nftables: see nftables');
const MARKS = inert('the services of a group are entries of the table each, which need no marks');
const RECEIVING = inert('the socket holds the adverts of thousands of routers as it is');
const BUFFERS = inert('buffers are large from the start, and what one could not hold is read again');
const BFD = inert('BFD runs in the VRRP process, which has a keyword of its own for it');
const AUTO = inert(
  'the VRRP process is in real time from the start (vrrp_rt_priority), and being late is no evidence',
);
const oldName = (name: string, notes: KeywordNotes): KeywordNotes => ({
  ...notes,
  deprecated: `write ${name}`,
});

const U32 = 4_294_967_295;
const I32 = 2_147_483_647;
const nice = arg.integer('N', -20, 19);
const realTime = arg.integer('N', 0, 99);
// keepalived's process is ended at its limit, by SIGXCPU.
const RUNAWAY =
  'how long it may use a CPU in real time without a pause; then it goes on without real time for 0.1 s';
const cpus = arg.rest(arg.integer('CPU', 0, 1023), 1);
const micros = arg.integer('MICROSECONDS', 1, U32);
const bytes = arg.integer('BYTES', 0, I32);
const processName = arg.text('NAME', 15);
const path = arg.text('PATH');
const name = arg.text('NAME');
const tableName = arg.identifier('NAME');
/** keepalived's manual has `readable` too; its code refuses it. */
const CHECKS = ['read', 'match', 'wildcard_match', 'brace_match'] as const;
const includeCheck = arg.choice(
  ...CHECKS,
  ...CHECKS.map((check) => `+${check}` as const),
  ...CHECKS.map((check) => `-${check}` as const),
  'none',
  'all',
);
const owner = [arg.optional(arg.text('USER')), arg.optional(arg.text('[:]GROUP'))] as const;
const startTimer = arg.timer(0.001, 4294.967);
const gap = arg.timer(0.000001, 4294.967);
const mailSwitch = [arg.bool] as const;

/** `global_defs` (keepalived: core/global_parser.c). */
export const globalDefs = {
  process_names: flag('processes named after their work; so they are without this word, too'),
  process_name: keyword('name of the daemon in ps and top', [processName], { default: 'vipkeeperd' }),
  vrrp_process_name: keyword('the same, of the VRRP process', [processName], { default: 'vipkeeper-vrrp' }),
  checker_process_name: keyword('the same, of the check process', [processName], {
    default: 'vipkeeper-check',
  }),
  lvs_process_name: keyword('see checker_process_name', [processName], {
    alias: 'checker_process_name',
    deprecated: 'write checker_process_name',
  }),
  bfd_process_name: keyword('BFD process name', [processName], BFD),
  use_symlink_paths: keyword(
    'keep symlink paths when running scripts',
    [arg.bool],
    inert('scripts are run by the path that is written, symbolic links included'),
  ),
  set_supplementary_groups: keyword("scripts get the user's supplementary groups", [arg.bool]),
  router_id: keyword("this director's name in messages", [arg.text('STRING')], { default: 'the host name' }),
  notification_email: lines('alert recipients', arg.text('ADDRESS'), { several: true }),
  notification_email_from: keyword('alert sender', [arg.text('ADDRESS')]),
  smtp_server: keyword('mail relay', [arg.text('HOST'), arg.optional(arg.port)]),
  smtp_helo_name: keyword('HELO argument', [name]),
  smtp_connect_timeout: keyword('mail connect timeout', [arg.wholeSeconds(0, 4294)]),
  smtp_alert: keyword('default mail switch for everything', mailSwitch),
  smtp_alert_vrrp: keyword('mail switch for VRRP', mailSwitch),
  smtp_alert_checker: keyword('mail switch for checkers', mailSwitch),
  no_email_faults: flag('no mail on FAULT'),
  no_checker_emails: keyword('mail for each real server, not each checker', [arg.bool]),
  startup_script: keyword('run before the start', [arg.script]),
  startup_script_timeout: keyword('limit for startup_script', [arg.wholeSeconds(1, 1000)]),
  shutdown_script: keyword('run after the stop', [arg.script]),
  shutdown_script_timeout: keyword('limit for shutdown_script', [arg.wholeSeconds(1, 1000)]),
  max_auto_priority: keyword(
    'ceiling of the automatic priority',
    [arg.optional(arg.integer('N', -1, 99))],
    AUTO,
  ),
  min_auto_priority_delay: keyword(
    'lateness that raises it',
    [arg.integer('MICROSECONDS', 1, 10_000_000)],
    AUTO,
  ),
  checker_log_all_failures: keyword('log the failed checks of servers that are down, too', [arg.bool], {
    default: 'off',
  }),
  dynamic_interfaces: keyword(
    'interfaces may be missing at the start; a virtual router waits for its own without this word, too, with a warning',
    [arg.optional(arg.choice('allow_if_changes'))],
  ),
  default_interface: keyword('interface of static addresses without dev', [arg.interfaceName], {
    default: 'eth0',
  }),
  disable_local_igmp: flag(
    'the host reports no groups in 224.0.0.0/24: sets a sysctl of the kernel until the stop',
  ),
  // keepalived takes any value as true; here `off` means off.
  v3_checksum_as_v2: keyword('VRRPv3 over IPv4: checksum without the pseudo header', [arg.bool], {
    default: 'off',
  }),
  ...lvsDefs,
  vrrp_mcast_group4: keyword('group of IPv4 adverts', [arg.multicast], { default: '224.0.0.18' }),
  vrrp_mcast_group6: keyword('group of IPv6 adverts', [arg.multicast], { default: 'ff02::12' }),
  vrrp_garp_master_delay: keyword(
    'delay of the second burst of GARP; 0 for none',
    [arg.wholeSeconds(0, U32)],
    {
      default: '5',
    },
  ),
  vrrp_garp_master_repeat: keyword(
    'GARP frames an address in a burst; 0 counts as 1',
    [arg.integer('N', 0, U32)],
    {
      default: '5',
    },
  ),
  vrrp_garp_master_refresh: keyword('period of GARP while master; 0 for none', [arg.wholeSeconds(0, U32)], {
    default: '0',
  }),
  vrrp_garp_master_refresh_repeat: keyword(
    'GARP frames an address in a refresh; 0 counts as 1',
    [arg.integer('N', 0, U32)],
    {
      default: '1',
    },
  ),
  vrrp_garp_lower_prio_delay: keyword(
    'second burst after a lesser master was heard; 0 for none',
    [arg.wholeSeconds(0, U32)],
    { default: 'vrrp_garp_master_delay' },
  ),
  vrrp_garp_lower_prio_repeat: keyword(
    'GARP frames an address after a lesser master was heard',
    [arg.integer('N', 0, I32)],
    { default: 'vrrp_garp_master_repeat' },
  ),
  vrrp_down_timer_adverts: keyword('missed adverts before takeover', [arg.integer('N', 1, 100)], {
    default: '3',
  }),
  vrrp_garp_interval: keyword('gap between GARP frames of an interface that is in no garp_group', [gap], {
    default: '0',
  }),
  vrrp_gna_interval: keyword('gap between unsolicited NA of an interface that is in no garp_group', [gap], {
    default: '0',
  }),
  vrrp_min_garp: keyword('one GARP, no second burst', [arg.bool], { default: 'off' }),
  vrrp_garp_extra_if: keyword(
    'period of GARP for VIPs on VMACs that send no adverts; all: and on other interfaces',
    [arg.extraInterfaces(1)],
    { default: 'none' },
  ),
  vrrp_vmac_garp_intvl: keyword('see vrrp_garp_extra_if', [arg.extraInterfaces(1)], {
    alias: 'vrrp_garp_extra_if',
    deprecated: 'write vrrp_garp_extra_if',
  }),
  vrrp_higher_prio_send_advert: keyword('a last advert when giving way', [arg.bool], {
    default: 'on; off in keepalived',
  }),
  vrrp_lower_prio_no_advert: keyword('do not answer a lower advert', [arg.bool], { default: 'off' }),
  vrrp_version: keyword('default version for IPv4 instances', [arg.integer('2|3', 2, 3)], { default: '2' }),
  vrrp_iptables: keyword('chains for no_accept', [arg.rest(arg.text('CHAIN'))], IPTABLES),
  vrrp_ipsets: keyword('ipset names', [arg.rest(arg.text('SET'))], IPTABLES),
  nftables: keyword('the tables with the rules of no_accept and VMACs', [arg.optional(tableName)], {
    default: 'vipkeeper',
  }),
  nftables_priority: keyword(
    'of their chains; from 100 on IPVS gets its packets before no_accept drops them',
    [arg.integer('N', -I32 - 1, I32)],
    { default: '-1' },
  ),
  nftables_ifindex: flag('match interfaces by index'),
  nftables_counters: flag('counters in rules'),
  nftables_lease: keyword(
    'drop what is for a VIP whose lease has run out, by tables vipkeeper_lease: leases of milliseconds',
    [arg.bool],
    { ours: true, default: 'on' },
  ),
  nftables_ipvs: keyword('table that marks server groups', [arg.optional(name)], MARKS),
  nftables_ipvs_priority: keyword('its chain priority', [arg.integer('N', -I32 - 1, I32)], MARKS),
  nftables_ipvs_start_fwmark: keyword('first fwmark', [arg.integer('N', 1, U32)], MARKS),
  vrrp_check_unicast_src: flag('unicast adverts must come from a listed peer', { default: 'off' }),
  vrrp_skip_check_adv_addr: keyword('a backup compares no addresses in adverts of its master', [arg.bool], {
    default: 'off',
  }),
  vrrp_strict: keyword('RFC conformance for all instances', [arg.bool], { default: 'off' }),
  vrrp_priority: keyword('nice value of the VRRP process; real time goes before it', [nice], {
    default: 'as it was started',
  }),
  checker_priority: keyword('nice value of the check process', [nice], { default: 'as it was started' }),
  bfd_priority: keyword('nice value of the BFD process', [nice], BFD),
  vrrp_no_swap: flag('lock memory', MEMORY),
  checker_no_swap: flag('lock memory', MEMORY),
  bfd_no_swap: flag('lock memory', MEMORY),
  vrrp_rt_priority: keyword(
    'SCHED_RR priority of the VRRP process; 0 for ordinary scheduling (ours)',
    [realTime],
    { default: '50', beyond: 'nearest' },
  ),
  checker_rt_priority: keyword(
    'SCHED_RR priority of the check process; 0 for ordinary scheduling (ours)',
    [realTime],
    { default: '0', beyond: 'nearest' },
  ),
  bfd_rt_priority: keyword('SCHED_RR priority of the BFD process', [realTime], BFD),
  vrrp_cpu_affinity: keyword('CPUs of the VRRP process', [cpus], { default: 'as it was started' }),
  checker_cpu_affinity: keyword('CPUs of the check process', [cpus], { default: 'as it was started' }),
  bfd_cpu_affinity: keyword('CPUs of the BFD process', [cpus], BFD),
  vrrp_rlimit_rttime: keyword(RUNAWAY, [micros], { default: '200000' }),
  checker_rlimit_rttime: keyword(RUNAWAY, [micros], { default: '200000' }),
  bfd_rlimit_rttime: keyword('CPU time without a pause', [micros], BFD),
  vrrp_rlimit_rtime: keyword('see vrrp_rlimit_rttime', [micros], {
    alias: 'vrrp_rlimit_rttime',
    deprecated: 'write vrrp_rlimit_rttime',
  }),
  checker_rlimit_rtime: keyword('see checker_rlimit_rttime', [micros], {
    alias: 'checker_rlimit_rttime',
    deprecated: 'write checker_rlimit_rttime',
  }),
  bfd_rlimit_rtime: keyword('old spelling', [micros], oldName('bfd_rlimit_rttime', BFD)),
  notify_fifo: keyword('FIFO for all events', [path, ...owner]),
  notify_fifo_script: keyword('its reader, started again when it dies', [arg.script]),
  vrrp_notify_fifo: keyword('FIFO for VRRP events', [path, ...owner]),
  vrrp_notify_fifo_script: keyword('its reader, started again when it dies', [arg.script]),
  lvs_notify_fifo: keyword('FIFO for checker events', [path, ...owner]),
  lvs_notify_fifo_script: keyword('its reader, started again when it dies', [arg.script]),
  vrrp_notify_priority_changes: keyword('FIFO line when the priority changes', [arg.bool]),
  fifo_write_vrrp_states_on_reload: flag('all states again after a reload'),
  snmp_socket: keyword('AgentX master socket', [arg.text('SPEC')], SNMP),
  enable_traps: flag('SNMP traps', SNMP),
  enable_snmp_vrrp: flag('SNMP for VRRP', SNMP),
  enable_snmp_keepalived: flag('old spelling', oldName('enable_snmp_vrrp', SNMP)),
  enable_snmp_rfc: flag('both RFC MIBs', SNMP),
  enable_snmp_rfcv2: flag('RFC 2787 MIB', SNMP),
  enable_snmp_rfcv3: flag('RFC 6527 MIB', SNMP),
  enable_snmp_checker: flag('SNMP for checkers', SNMP),
  snmp_vs_stats_update_interval: keyword('age of statistics', [arg.timer(0.001, 30)], SNMP),
  snmp_rs_stats_update_interval: keyword('age of statistics', [arg.timer(0.001, 30)], SNMP),
  enable_dbus: flag('D-Bus interface', DBUS),
  dbus_service_name: keyword('bus name', [name], DBUS),
  dbus_no_interface_name: keyword('path element', [name], DBUS),
  script_user: keyword('who runs scripts', identity, {
    default: 'keepalived_script if there is such a user, else root',
  }),
  enable_script_security: flag('refuse scripts that root runs and others can write'),
  vrrp_netlink_cmd_rcv_bufs: keyword('netlink buffer', [bytes], BUFFERS),
  vrrp_netlink_cmd_rcv_bufs_force: keyword('force it', [arg.bool], BUFFERS),
  vrrp_netlink_monitor_rcv_bufs: keyword('netlink buffer', [bytes], BUFFERS),
  vrrp_netlink_monitor_rcv_bufs_force: keyword('force it', [arg.bool], BUFFERS),
  lvs_netlink_cmd_rcv_bufs: keyword('netlink buffer', [bytes], BUFFERS),
  lvs_netlink_cmd_rcv_bufs_force: keyword('force it', [arg.bool], BUFFERS),
  lvs_netlink_monitor_rcv_bufs: keyword('netlink buffer', [bytes], BUFFERS),
  lvs_netlink_monitor_rcv_bufs_force: keyword('force it', [arg.bool], BUFFERS),
  process_monitor_rcv_bufs: keyword('process events buffer', [bytes], BUFFERS),
  process_monitor_rcv_bufs_force: keyword('force it', [arg.bool], BUFFERS),
  rs_init_notifies: keyword('notify_up for servers up at the start', [arg.bool]),
  vrrp_rx_bufs_policy: keyword('receive buffer', [arg.integerOr('N', 1, I32, ['MTU', 'ADVERT'])], RECEIVING),
  vrrp_rx_bufs_multiplier: keyword('times the policy', [arg.integer('N', 1, I32)], RECEIVING),
  vrrp_startup_delay: keyword('wait before instances run', [startTimer], { default: '0' }),
  vrrp_delay_after_boot: keyword('the same, from the boot; the later one wins', [startTimer], {
    default: '0',
  }),
  log_unknown_vrids: flag('log adverts of unknown VRIDs, a line a minute'),
  vrrp_owner_ignore_adverts: keyword('an address owner takes no notice of others', [arg.bool], {
    default: 'off',
  }),
  vmac_prefix: keyword('what the names of VMACs begin with', [arg.interfaceName], { default: 'vrrp' }),
  vmac_addr_prefix: keyword('the same, of VMACs for addresses', [arg.interfaceName], {
    default: 'vmac_prefix',
  }),
  umask: keyword('umask for files', [arg.rest(arg.text('NUM|IRUSR'), 1)], {
    default: 'as it was at the start',
  }),
  notify_timeout: keyword('a notify script that takes longer is ended', [arg.wholeSeconds(1, 3600)], {
    ours: true,
    default: '60',
  }),
  random_seed: keyword(
    'seed of what the variable _RANDOM gives in the rest of the file',
    [arg.integer('N', 0, U32)],
    {
      default: 'another one at each start',
    },
  ),
  reload_check_config: keyword(
    'test before a reload',
    [arg.optional(path)],
    inert('a reload is always tested first; with errors, the running configuration stays in force'),
  ),
  reload_time_file: keyword('file with the time of the next reload', [path]),
  reload_repeat: flag('keep that file: a time without a date comes again each day'),
  reload_file: keyword('is there while a reload reads the configuration', [arg.optional(path)], {
    default: 'without a path, keepalived.reload in the run directory',
  }),
  include_check: keyword('what include checks in the rest of the file', [arg.rest(includeCheck)], {
    default: 'nothing',
    repeat: true,
  }),
  config_save_dir: keyword(
    'folder for a copy of each configuration that is loaded, whole, with the time in its name; the last 100 stay',
    [arg.text('DIR')],
  ),
  tmp_config_directory: keyword(
    'for merged text',
    [arg.text('DIR')],
    inert('the configuration is not merged into a file to be read'),
  ),
  data_use_instance: keyword(
    'names of dump files',
    [arg.bool],
    inert('state_dump_file and the like name the files of each copy'),
  ),
  json_version: keyword('JSON layout: 2 has tracked processes too', [arg.integer('1|2', 1, 2)], {
    default: '1',
  }),
  iproute_usr_dir: keyword("folder of iproute2's names of tables and others", [arg.text('DIR')], {
    default: '/usr/share/iproute2',
  }),
  iproute_etc_dir: keyword('the same; its files go before those of the other', [arg.text('DIR')], {
    default: '/etc/iproute2',
  }),
  state_dump_file: keyword('what SIGUSR1 has written', [path], { default: '/tmp/keepalived.data' }),
  stats_dump_file: keyword('what SIGUSR2 has written; keepalived ignores it', [path], {
    default: '/tmp/keepalived.stats',
  }),
  json_dump_file: keyword('what the signal JSON has written; keepalived ignores it', [path], {
    default: '/tmp/keepalived.json',
  }),
};
