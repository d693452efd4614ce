import type { Loaded } from '../core/config/load.ts';
import { enterNamespace, inNamespace, isInNamespace, keepNamespace, namespacePath } from '../io/namespace.ts';
import { type DaemonOptions, type GivenOptions, withFolders } from './options.ts';

/** The network namespaces of a daemon could not be entered: why, and what to do. */
export class NamespaceRefused extends Error {
  override name = 'NamespaceRefused';
}

/** Where a daemon is to be. */
export interface Place {
  readonly options: DaemonOptions;
  /** The namespace that it was started in, by path. */
  readonly home: string;
}

/**
 * Moves this process to the network namespace that the command line or else the file names, and gives the options with
 * folders of that namespace's own, and the path of the one that has the IPVS table if that is another. Throws
 * NamespaceRefused.
 */
export function moveToNamespace(given: GivenOptions, { namespaces }: Loaded): Place {
  const own = given.namespace ?? namespaces.own;
  const { ipvs } = namespaces;
  const home = keepNamespace();
  if (own !== undefined) {
    attempt(own, (path) => {
      if (!isInNamespace(path)) enterNamespace(path);
    });
  }
  const options = withFolders(given, own);
  if (ipvs === undefined) return { options, home };
  // Tried here, where somebody reads why it cannot be.
  if (ipvs !== '') attempt(ipvs, (path) => inNamespace(path, () => undefined));
  return { options: { ...options, ipvsNamespace: ipvs === '' ? home : namespacePath(ipvs) }, home };
}

function attempt(name: string, enter: (path: string) => void): void {
  try {
    enter(namespacePath(name));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new NamespaceRefused(
        `there is no network namespace ${name}: make it with "ip netns add ${name}"`,
      );
    }
    if (code !== 'EPERM')
      throw new NamespaceRefused(`cannot enter the network namespace ${name}: ${message}`);
    throw new NamespaceRefused(
      `may not enter the network namespace ${name}: that needs CAP_SYS_ADMIN. Under systemd, ` +
        'install systemd/namespace.conf as /etc/systemd/system/vipkeeper.service.d/namespace.conf',
    );
  }
}
