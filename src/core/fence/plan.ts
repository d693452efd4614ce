import type { DeviceSettings } from './agent.ts';

/** An agent that would be run, and what it would be told: for people, so without what may be a secret. */
export interface PlannedRun {
  readonly device: string;
  readonly agent: string;
  readonly level: number;
  readonly action: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const HIDDEN = '********';
/**
 * Parameters whose values may be shown. Each agent has names of its own, and new ones have passwords under names that
 * nobody can know: so all others are hidden.
 */
const OPEN = new Set([
  ...['ip', 'ipaddr', 'ipport', 'port', 'plug', 'username', 'login', 'user', 'lanplus', 'cipher', 'privlvl'],
  ...['method', 'auth', 'type', 'status_file', 'secure', 'ssh', 'ssl', 'ssl_insecure', 'ssl_secure', 'notls'],
  ...['inet4_only', 'inet6_only', 'snmp_version', 'switch', 'delay', 'timeout', 'quiet', 'sudo'],
]);
const isOpen = (name: string): boolean =>
  OPEN.has(name) || /_(?:timeout|wait|delay|file|port|attempts)$/.test(name);

/** What switching a director off, or on, would run: level by level, each with the status that verifies it. */
export const plannedRuns = (
  devices: readonly DeviceSettings[],
  target: string,
  order: 'off' | 'on',
): PlannedRun[] =>
  devices
    .filter((device) => device.target === target)
    .sort((a, b) => a.level - b.level)
    .flatMap(({ name, agent, level, parameters }) =>
      [order, 'status'].map((action) => ({
        device: name,
        agent,
        level,
        action,
        parameters: Object.fromEntries(
          Object.entries(parameters).map(([key, value]) => [key, isOpen(key) ? value : HIDDEN]),
        ),
      })),
    );
