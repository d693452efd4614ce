import { ECHO_PORT } from '../scene/traffic.ts';

/** Virtual servers whose real servers die and come back, with scripts that tell what they heard. */

export const REAL = [1, 2, 3].map((n) => `192.168.1.${10 + n}`);
const SORRY = '192.168.1.20';

const CHECK = `TCP_CHECK {
      connect_timeout 1
      retry 0
      delay_loop 1
    }`;

/** `tell` is the script that writes its words down. */
export function quorumConfiguration(tell: string, servers: readonly string[]): string {
  const real = (name: string, ...lines: string[]): string[] =>
    servers.map((address, i) =>
      [
        `  real_server ${address} ${ECHO_PORT} {`,
        `    weight ${i === 0 ? 2 : 1}`,
        `    notify_up "${tell} ${name} up ${address}"`,
        `    notify_down "${tell} ${name} down ${address}"`,
        ...lines,
        `    ${CHECK}`,
        '  }',
      ].join('\n'),
    );
  const service = (name: string, header: string, ...lines: string[]): string =>
    [
      `virtual_server ${header} {`,
      '  lb_algo wrr',
      '  warmup 0',
      `  quorum_up "${tell} ${name} gained"`,
      `  quorum_down "${tell} ${name} lost"`,
      ...lines.map((line) => `  ${line}`),
      '}',
    ].join('\n');
  const nat = ['protocol TCP', 'lb_kind NAT'];
  const sorry = `sorry_server ${SORRY} 8000`;
  const port = (n: number): string => `10.0.0.100 ${n}`;
  return [
    'virtual_server_group web {',
    `  10.0.0.101-102 ${ECHO_PORT}`,
    `  fd00::101 ${ECHO_PORT}`,
    '}',
    service('plain', port(1), ...nat, ...real('plain')),
    service('sorry', port(2), ...nat, 'quorum 2', sorry, 'omega', ...real('sorry')),
    service('margin', port(3), ...nat, 'quorum 2', 'hysteresis 1', sorry, ...real('margin')),
    service(
      'inhibit',
      port(4),
      ...nat,
      'inhibit_on_failure',
      sorry,
      'sorry_server_inhibit',
      ...real('inhibit'),
    ),
    service('alpha', port(5), ...nat, 'alpha', sorry, ...real('alpha')),
    service(
      'group',
      'group web',
      'protocol TCP',
      'lb_kind TUN',
      sorry.replace(' 8000', ''),
      ...real('group', '    lvs_method TUN'),
    ),
    service('mark', 'fwmark 9', 'lb_kind NAT', 'quorum 3', ...real('mark')),
  ].join('\n');
}
