import type { RouterReport } from '../../core/status/report.ts';
import type { CommonOptions } from './ask.ts';
import { look } from './look.ts';

/** What completion asks for. */
interface NamesOptions extends CommonOptions {
  readonly servers?: boolean;
  readonly services?: boolean;
  readonly names?: boolean;
  readonly routers?: boolean;
  readonly keywords?: boolean;
  readonly directors?: boolean;
}

/** The names that are asked for, each once; undefined when none are. Names with blanks are no words of a shell. */
export async function listsOf(options: NamesOptions): Promise<string[] | undefined> {
  const { servers, services, names, routers: asked, keywords, directors } = options;
  if (keywords) {
    const { keywordNames } = await import('./keywords.ts');
    return keywordNames();
  }
  if (!servers && !services && !names && !asked && !directors) return undefined;
  const { vrrp, check, fencing } = await look(options);
  if (asked) return routerNames(vrrp?.instances ?? []);
  if (directors) return [...new Set(fencing?.devices.map(({ target }) => target))];
  const all = check?.services ?? [];
  const ofServers = all.flatMap((service) => service.servers.map(({ name }) => name));
  const ofServices = all.flatMap(({ name, endpoints }) => [
    ...(/^group (\S+)/.exec(name)?.slice(1) ?? []),
    ...endpoints.map((endpoint) => endpoint.replace(/^\w+ /, '')),
  ]);
  const routers = vrrp?.instances ?? [];
  const ofRouters = routers.flatMap(({ name, addresses }) => [
    name,
    ...addresses.map(({ address }) => address.replace(/\/\d+$/, '')),
  ]);
  const wanted = names ? [...ofRouters, ...ofServices, ...ofServers] : services ? ofServices : ofServers;
  return [...new Set(wanted)].filter((name) => !name.includes(' '));
}

/** Names of virtual routers, and of their sync groups. */
const routerNames = (routers: readonly RouterReport[]): string[] => {
  const all = routers.flatMap(({ name, group }) => [name, ...(group === null ? [] : [group])]);
  return [...new Set(all)].filter((name) => !name.includes(' '));
};
