import { buildGlobal, buildSyncDaemon } from './build/global.ts';
import { buildVirtualServers } from './build/virtual.ts';
import { buildInstances } from './build/vrrp.ts';
import type { Findings } from './findings.ts';
import type { root } from './grammar/root.ts';
import type { Configuration } from './model.ts';
import { Section, type Statement } from './tree.ts';

/**
 * The settings that a tree means, with the checks that need more than one statement. What is wrong is a
 * finding, and is left out of the result: the caller uses that only when there were no errors.
 */
export function build(statements: readonly Statement[], findings: Findings): Configuration {
  const file = new Section<typeof root>(statements);
  const global = buildGlobal(file);
  const instances = buildInstances(file, findings);
  const syncDaemon = buildSyncDaemon(file, instances, findings);
  return {
    global,
    instances,
    virtualServers: buildVirtualServers(file, findings),
    ...(syncDaemon === undefined ? {} : { syncDaemon }),
  };
}
