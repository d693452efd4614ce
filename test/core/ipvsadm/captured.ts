import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Ip } from '../../../src/core/ip.ts';
import { ip } from '../../../src/core/ip.ts';
import type { NameSource } from '../../../src/core/ipvsadm/values.ts';

/** Texts captured from ipvsadm, and the names that the machine of the captures knew. */

function root(start: string): string {
  return existsSync(join(start, 'package.json')) ? start : root(dirname(start));
}

/** The lines of a file beside this one's source, without comments. */
export function capturedLines(name: string): string[] {
  const file = join(root(import.meta.dirname), 'test/core/ipvsadm', name);
  return readFileSync(file, 'utf8')
    .replace(/\n$/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'));
}

const HOSTS: Readonly<Record<string, Ip>> = {
  localhost: ip('127.0.0.1'),
  vm: ip('127.0.0.1'),
  'rs1.example.org': ip('10.0.0.11'),
};
const PORTS: Readonly<Record<string, number>> = {
  'http/tcp': 80,
  'www/tcp': 80,
  'webcache/tcp': 8080,
  'domain/tcp': 53,
  'domain/udp': 53,
  'tftp/udp': 69,
};

export const NAMES: NameSource = {
  host: (name) => (Object.hasOwn(HOSTS, name) ? HOSTS[name] : null),
  port: (name, protocol) => PORTS[`${name}/${protocol}`],
};

/** A line split as the shell does: blanks, and quotes around words. */
export function shellWords(line: string): string[] {
  return Array.from(line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g), ([word]) => word.replace(/["']/g, ''));
}
