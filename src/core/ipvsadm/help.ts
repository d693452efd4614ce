/** What `-v` prints: `v1.31` and `IPVS v1.2.1` stand where scripts that read ipvsadm's line look for them. */
export const versionText = (program: string): string =>
  `${program} v1.31 (vipkeeper's, with the command line of ipvsadm 1.31 and IPVS v1.2.1)\n`;

/** What `-h` prints. */
export const helpText = (program: string): string => `${versionText(program)}
Usage:
  ${program} -A|-E SERVICE [-s SCHEDULER] [-p [SECONDS]] [-M MASK] [--pe ENGINE] [-o] [-b FLAGS]
  ${program} -D SERVICE
  ${program} -a|-e SERVICE -r SERVER [-g|-i|-m] [-w WEIGHT] [-x UPPER] [-y LOWER] [TUNNEL]
  ${program} -d SERVICE -r SERVER
  ${program} [-L|-l [SERVICE|-c|--timeout|--daemon] [LAYOUT]]
  ${program} -Z [SERVICE]
  ${program} -C
  ${program} -S [-n] > FILE
  ${program} -R < FILE
  ${program} --set TCP TCPFIN UDP
  ${program} --start-daemon master|backup [DAEMON]
  ${program} --stop-daemon master|backup [--syncid ID]

The command comes first, its options follow in any order.

Commands
  -A, --add-service       make a virtual service     -a, --add-server      give a service a real server
  -E, --edit-service      change one                 -e, --edit-server     change one
  -D, --delete-service    remove one                 -d, --delete-server   remove one
  -L, -l, --list          show the table             -Z, --zero            set counters to 0
  -C, --clear             remove everything          --set                 timeouts of connections, in seconds
  -S, --save              print commands that        --start-daemon        start synchronising connections
                          make the table again       --stop-daemon         stop it
  -R, --restore           run commands from stdin    -h, --help; -v, --version

SERVICE
  -t, --tcp-service HOST[:PORT]      -u, --udp-service HOST[:PORT]      --sctp-service HOST[:PORT]
  -f, --fwmark-service MARK          packets with this firewall mark; -6 (--ipv6) after it for IPv6
  An IPv6 address with a port stands in brackets: [2001:db8::1]:80. Port 0, or none, with -p: all ports.

Options of a service
  -s, --scheduler NAME    rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf none; wlc unless given
  -p, --persistent [S]    a client keeps its server for S seconds, 360 unless given
  -M, --netmask MASK      clients of one network count as one: a mask, for IPv6 a prefix length
  --pe ENGINE             persistence by content: sip
  -o, --ops               each packet for itself (UDP and marks)
  -b, --sched-flags LIST  sh-fallback,sh-port or mh-fallback,mh-port; flag-1,flag-2,flag-3 for others

Options of a real server
  -r, --real-server HOST[:PORT]      the service's port unless given
  -g, --gatewaying        direct routing, unless given otherwise
  -i, --ipip              tunnel                     -m, --masquerading    network address translation
  -w, --weight N          1 unless given; 0 takes no new connections
  -x, --u-threshold N     no new connections from N on, until -y, --l-threshold N is reached
  TUNNEL, with -i: --tun-type ipip|gue|gre, --tun-port PORT, --tun-nocsum, --tun-csum, --tun-remcsum

Options of a list
  -n, --numeric           addresses and ports as numbers
  -c, --connection        connections                --timeout             timeouts of connections
  --daemon                synchronisation            --nosort              in the kernel's order
  --json                  as data, whole, whatever the LAYOUT; lvsadm(8) describes it
  LAYOUT: --stats, --rate, --thresholds, --persistent-conn, --tun-info; -X (--exact) for counters in full

DAEMON
  --mcast-interface NAME  eth0 unless given          --mcast-group ADDRESS 224.0.0.81 unless given
  --mcast-port PORT       8848 unless given          --mcast-ttl N         1 unless given
  --syncid ID             0 unless given             --sync-maxlen BYTES   from the interface's MTU
`;
