/**
 * Words of other versions of keepalived, of its patches, and of programs that were made of it. keepalived reports them
 * as unknown, and goes on without: each is known here by the block that it stands in, with what to do about it.
 */
const OLD = 'it had no effect in any version that balances with IPVS: leave it out';
const DPVS = 'it is a word of DPVS, which forwards by itself; IPVS has nothing like it';
const NO_DATA = 'the figures are written by signals: see vipkeeperd(8)';

type Words = Readonly<Record<string, string>>;

const RETRIES: Words = { nb_get_retry: 'write retry', nb_sock_retry: 'write retry' };

const FOREIGN: Readonly<Record<string, Words>> = {
  '': {
    local_address_group: DPVS,
    blklst_group: DPVS,
    whtlst_group: DPVS,
    deny_address_group: DPVS,
    allow_address_group: DPVS,
  },
  global_defs: {
    lvs_id: 'the name of the director is router_id now',
    plugin_dir: 'there are no plug-ins any more: leave it out',
    lvs_sync_daemon_inteface: 'write lvs_sync_daemon IF VRRP_INSTANCE',
    state_file_location: 'write state_dump_file',
    stats_file_location: 'write stats_dump_file',
    json_file_location: 'write json_dump_file',
    enable_filesystem: NO_DATA,
    smtp_port: 'write smtp_server HOST PORT',
    use_process_group: 'scripts have groups of their own always',
  },
  vrrp_instance: {
    lvs_sync_daemon_inteface: 'write lvs_sync_daemon IF VRRP_INSTANCE in global_defs',
    garp_interval: 'write vrrp_garp_interval in global_defs, or garp_group',
    gna_interval: 'write vrrp_gna_interval in global_defs, or garp_group',
    vrrp_unicast_bind: 'write unicast_src_ip',
    vrrp_unicast_peer: 'write unicast_peer { ADDRESS }',
    unicast_bind: 'write unicast_src_ip',
    virtual_ipaddress_track: 'addresses are watched without it',
    use_gratuitous_arp: 'addresses are announced without it',
  },
  vrrp_sync_group: {
    notify_deleted: 'a reload tells the instances of the group: write it there',
  },
  virtual_server: {
    nat_mask: OLD,
    net_mask: OLD,
    timeout: 'connections end after lvs_timeouts of global_defs',
    laddr_group_name: DPVS,
    daddr_group_name: DPVS,
    blklst_addr_gname: DPVS,
    whtlst_addr_gname: DPVS,
    deny_addr_gname: DPVS,
    allow_addr_gname: DPVS,
    syn_proxy: DPVS,
    expire_quiescent: DPVS,
    expire_quiescent_conn: DPVS,
    est_timeout: DPVS,
    establish_timeout: DPVS,
    conn_timeout: DPVS,
    hash_target: DPVS,
    hash_key: DPVS,
    vip_bind_dev: DPVS,
    bps: DPVS,
    limit_proportion: DPVS,
    dest_check: DPVS,
    proxy_protocol: DPVS,
    quic: DPVS,
    match: DPVS,
  },
  real_server: {
    nat_mask: OLD,
    net_mask: OLD,
    timeout: 'each checker has connect_timeout',
    inhibit: 'write inhibit_on_failure',
  },
  TCP_CHECK: RETRIES,
  UDP_CHECK: RETRIES,
  SMTP_CHECK: RETRIES,
  DNS_CHECK: RETRIES,
  PING_CHECK: RETRIES,
  MISC_CHECK: { ...RETRIES, connect_timeout: 'write misc_timeout', timeout: 'write misc_timeout' },
  HTTP_GET: { timeout: 'write connect_timeout' },
  SSL_GET: { timeout: 'write connect_timeout' },
};

/** What to do about a word that is none of the block's; `undefined`: nobody knows it. */
export function foreignWord(block: string, word: string): string | undefined {
  const known = FOREIGN[block];
  if (known !== undefined && Object.hasOwn(known, word)) return known[word];
  return block === 'global_defs' && word.startsWith('filesystem_') ? NO_DATA : undefined;
}
