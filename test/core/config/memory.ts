import { type Facts, NO_HOST } from '../../../src/core/config/facts.ts';
import type { Reader } from '../../../src/core/config/include.ts';
import { type Loaded, load } from '../../../src/core/config/load.ts';
import type { Configuration } from '../../../src/core/config/model.ts';

/** The key of heartbeats that samples and made-up configurations name: it is always there. */
export const KEY_FILE = '/etc/vipkeeper/web.key';

/** A reader of files that are held in memory; patterns match by `*` only. */
export function memoryReader(given: Readonly<Record<string, string>>): Reader {
  const files: Readonly<Record<string, string>> = {
    [KEY_FILE]: 'a key for tests only',
    '/etc/vipkeeper/ipmi.key': 'a password\n',
    '/etc/vipkeeper/etcd.password': 'a password\n',
    '/etc/vipkeeper/etcd-ca.crt': 'a certificate\n',
    ...given,
  };
  return {
    glob: (pattern) => {
      const source = pattern.replace(/[.+()|^$\\]/g, '\\$&').replaceAll('*', '[^/]*');
      return Object.keys(files)
        .filter((name) => new RegExp(`^${source}$`).test(name))
        .sort();
    },
    read: (path) => {
      const text = files[path];
      if (text === undefined) return { kind: 'missing', problem: 'does not exist' };
      return { kind: 'text', text, executable: false };
    },
  };
}

/** Loads one text as the file `test.conf`, for the config-id `one`. That it may be a part only is not said. */
export function loadText(
  text: string,
  files: Readonly<Record<string, string>> = {},
  facts: Facts = NO_HOST,
): Loaded {
  const reader = memoryReader({ ...files, 'test.conf': text });
  const loaded = load({ file: 'test.conf', reader, facts, configId: 'one' });
  const diagnostics = loaded.diagnostics.filter(({ message }) => !message.endsWith('there is nothing to do'));
  return { ...loaded, diagnostics };
}

/** The configuration of a text that must be right; throws with what is wrong otherwise. */
export function configured(text: string): Configuration {
  const { configuration, diagnostics } = loadText(text);
  if (configuration !== undefined) return configuration;
  throw new Error(diagnostics.map((d) => `${d.at.line}:${d.at.column} ${d.message}`).join('\n'));
}

/** Every finding as `severity line:column message`. */
export const findings = (
  text: string,
  files: Readonly<Record<string, string>> = {},
  facts: Facts = NO_HOST,
): string[] =>
  loadText(text, files, facts).diagnostics.map(
    (d) => `${d.severity} ${d.at.line}:${d.at.column} ${d.message}`,
  );

/** A whole instance with `body` in it. */
export const instance = (body: string, name = 'V', vrid = 1): string => `vrrp_instance ${name} {
interface eth0
virtual_router_id ${vrid}
priority 100
${body}
}
`;
