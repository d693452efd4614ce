import type { Line } from '../programs/command-lines.ts';
import { line } from './lines.ts';

/**
 * What a handbook or a script may write in ways of its own: glued and repeated options, other orders,
 * abbreviations, operands between, addresses in every spelling.
 */
const LINES = `-L --num
-L --stat
--lis -n
--list -n
-Ln
-nL
-lnc
-Ln6
-AA -t 1.2.3.4:80
-AR -t 1.2.3.4:80
-L -n -n
-L -l
-L --stats --rate -n
-L --thresholds --persistent-conn -n
-L --persistent-conn --tun-info -n
-L --timeout --daemon
-L --timeout --nosort --exact
-L -c --exact
-L -c --tun-info -n
-L -c --nosort -n
-L -c -t 192.168.100.1:80
-L --daemon --persistent-conn
-L --syncid 3
-L -6 -f 18
-L -t [2001:DB8:0::1]:http
-L -t [::1]
-L -t [::1]x
-L -t [::1]:
-L -t []:80
-L -t [1.2.3.4]:80
-L -t 1.2.3.4:
-L -t :80
-L -t :
-L -t 1.2.3.4:0x50
-L -t 1.2.3.4:080
-L -t 1.2.3.4:80:90
-L -t 0x01020304:80
-L -t 16909060:80
-L -t 16909060
-L -t fe80::1%lo
-A -t [::1.2.3.4]:80
-L -t ::1.2.3.4
-A -t ::ffff:1.2.3.5 -p
-A -t [ff02::1]:80
-A -t 224.0.0.1:80
-A -t 0.0.0.0:0 -p
-At1.2.3.6:80 -srr
-A -t=1.2.3.7:80 -s=rr
-A --tcp-service=1.2.3.8:80 --persistent=60
-A -p -t 1.2.3.9:80
-A -p 30 -M 255.255.255.0 -t 1.2.3.10:80
-A -M 24 -t [2001:db8::9]:80 -p
-A -t [2001:db8::10]:80 -p -M 12x
-A -t 1.2.3.11:80 -p -M 255.0.255.0
-A -t 1.2.3.12:80 -p -5
-A -u 1.2.3.13:5060 -p --pe averyveryverylongengine
-A -t 1.2.3.14:80 -s averyveryverylongscheduler
-A -f 5 -p -M 64 -6
-A -f 6 -p -6 -M 64
-A -f 0x10
-A -t 1.2.3.15:80 -b mh-port -s sh
-A -t 1.2.3.15:80 extra
-A extra -t 1.2.3.15:80
extra -A -t 1.2.3.15:80
-t 1.2.3.15:80 -A
-A -- -t 1.2.3.15:80
-A -t 1.2.3.15:80 --
-A -t 1.2.3.16:80 -h
-a -r 10.1.1.1:99 -t 192.168.100.1:80 -m
-a -r 10.1.1.2 -t 192.168.100.1:80 -m
-a -t 192.168.100.1:80 -r 10.1.1.3 -g -m
-a -t 192.168.100.1:80 -r 224.0.0.1 -m
-a -t 192.168.100.1:80 -r localhost -m
-a -t 192.168.100.1:80 -r 10.1.1.4 -x 5 -y 6
-a -t 192.168.100.1:80 -r 10.1.1.5 -i --tun-type GUE
-a -t 192.168.100.1:80 --tun-type gue --tun-port 5 -r 10.1.1.6 -i
-a -f 17 -r 10.0.0.5:99 -g
-a -f 18 -6 -r 10.0.0.5 -g
-a -6 -f 18 -r ::5
-e -t 192.168.100.1:80 -r 10.0.0.11:8080
-d -t 192.168.100.1:80 -r 10.0.0.12 -g
-D -t 192.168.100.1:80 -s rr
-C -C
--set=1 2 3
--set 1 -n 2 3
--set 1 2 3 4
--set 2678401 1 1
--start-daemon=master --mcast-interface=lo
--stop-daemon=master
--start-daemon master backup --mcast-interface lo
--mcast-interface lo --start-daemon master
--start-daemon master --mcast-interface averyveryverylongname
-
--
-q`;

const INPUTS = [
  '',
  '\n\n',
  '# a comment\n-A -t 1.2.4.1:80',
  '-A -t 1.2.4.2:80 # a comment',
  'ipvsadm ipvsadm',
  '-A -t 1.2.4.3:80 -s rr ipvsadm',
  '\t -A\t-t  1.2.4.4:80\r\n',
  '-A -t 1.2.4.5:80\n-A -t 1.2.4.5:80\n-A -t 1.2.4.6:80',
  '-A -t 1.2.4.7:80\n-a -t 1.2.4.7:80 -r 1.1.1.1 -w bad\n-A -t 1.2.4.8:80',
  '-A -t 1.2.4.9:80\n-R\n-A -t 1.2.4.10:80',
  '-L -t 9.9.9.9:9\n-A -t 1.2.4.11:80',
  '-A -t 1.2.4.12:80\n-L -t 1.2.4.12:80 -n\n-D -t 1.2.4.12:80\n-L -t 1.2.4.12:80 -n',
  '-A -t 1.2.4.13:80 --nosuch\n-A -t 1.2.4.14:80',
  '--set 1 2 3\n-L --timeout',
  '-A -t "1.2.4.15:80"',
  'extra -Ln',
];

export const oddLines = (): Line[] => [
  ...LINES.split('\n').map((text) => line(...text.split(' '))),
  ...INPUTS.map((input): Line => ({ words: ['-R'], input })),
];

/** Sync daemons to start one after the other; the table must be empty of mixed families. */
export const daemonLines = (): Line[][] =>
  [
    ['master', 'backup --syncid 9'],
    ['master --sync-maxlen 100', 'backup --sync-maxlen 65507'],
    ['master --mcast-group 239.1.2.3 --mcast-port 9999 --mcast-ttl 7', 'master'],
    ['backup --mcast-group ff05::1 --mcast-ttl 3', 'master --mcast-group ff02::81 --syncid 255'],
    ['master --mcast-group 10.0.0.1', 'backup --mcast-port 65536', 'backup --mcast-ttl 0'],
  ].map((options) =>
    options.map((text) => line('--start-daemon', ...text.split(' '), '--mcast-interface', 'lan')),
  );
