import { type Change, type HostFacts, masqueradeTable, type Setting, subjectOf } from './setting.ts';

/** What must be done that a host has the settings, and what must be done to take changes back. Pure. */

/** The changes that make the settings, in their order; what is as it should be is left out. */
export function plan(settings: readonly Setting[], facts: HostFacts): Change[] {
  return settings.filter((setting) => !isInForce(setting, facts)).map((setting) => changeOf(setting, facts));
}

/** Whether the host has the setting now. */
export function isInForce(setting: Setting | Change, facts: HostFacts): boolean {
  const { sysctls, devices, modules, tables } = facts;
  switch (setting.kind) {
    case 'module':
      return (
        modules.includes(setting.name) ||
        setting.sign in sysctls ||
        devices.some(({ name }) => name === setting.sign)
      );
    case 'link':
      return devices.some(({ name, up }) => name === setting.device && up);
    case 'address':
      return devices.some(
        ({ name, addresses }) =>
          name === setting.device && addresses.some(({ address }) => address === setting.address),
      );
    case 'sysctl': {
      const enough = 'enough' in setting ? (setting.enough ?? []) : [];
      return [setting.value, ...enough].includes(sysctls[setting.key] ?? '');
    }
    case 'masquerade':
      return tables.includes(masqueradeTable(setting.network));
  }
}

function changeOf(setting: Setting, facts: HostFacts): Change {
  if (setting.kind !== 'sysctl') return setting;
  const { kind, key, value } = setting;
  return { kind, key, value, was: facts.sysctls[key], beside: besides(key, facts.sysctls) };
}

/**
 * To forward is one switch for all interfaces (inet_forward_change, addrconf_forward_change): written, it sets
 * each of theirs, and for IPv4 whether redirects are accepted. The values that the write back to 0 gets wrong.
 */
function besides(key: string, sysctls: HostFacts['sysctls']): Record<string, string> {
  const all = Object.entries(sysctls);
  if (key === 'net/ipv4/ip_forward') {
    return Object.fromEntries(
      all.filter(
        ([name, value]) =>
          (/^net\/ipv4\/conf\/(?!all\/)[^/]+\/forwarding$/.test(name) && value === '1') ||
          (name === 'net/ipv4/conf/all/accept_redirects' && value === '0'),
      ),
    );
  }
  if (key === 'net/ipv6/conf/all/forwarding') {
    const each = /^net\/ipv6\/conf\/(?!all\/)[^/]+\/forwarding$/;
    return Object.fromEntries(all.filter(([name, value]) => each.test(name) && value === '1'));
  }
  return {};
}

/**
 * The changes that were made, in order, after one more. What a sysctl was before the first of its changes is what it
 * goes back to.
 */
export function remember(made: readonly Change[], change: Change): Change[] {
  const same = made.find((each) => subjectOf(each) === subjectOf(change));
  if (same === undefined) return [...made, change];
  const merged = same.kind === 'sysctl' && change.kind === 'sysctl' ? { ...same, value: change.value } : same;
  return made.map((each) => (each === same ? merged : each));
}

/** The changes that are to be taken back, last first, and those that somebody else changed since. */
export function planUndo(
  made: readonly Change[],
  facts: HostFacts,
): { readonly undo: readonly Change[]; readonly leave: readonly Change[] } {
  const changes = made.toReversed();
  return {
    undo: changes.filter((change) => isInForce(change, facts)),
    leave: changes.filter((change) => !isInForce(change, facts)),
  };
}
