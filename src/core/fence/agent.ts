import type { Duration } from '../time.ts';

/**
 * Shutting a director out: its fence devices switch it off. Agents are programs with the contract of the fence agents
 * (ClusterLabs, FenceAgentAPI.md): parameters as lines on standard input; 0 is success; `status` gives 0 for on, 2 for
 * off.
 */
export interface DeviceSettings {
  readonly name: string;
  /** The agent's program. */
  readonly agent: string;
  /** The director that it switches off. */
  readonly target: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Devices of one level all have to succeed, as for two power supplies; the next level is tried when one fails. */
  readonly level: number;
  readonly action: 'off' | 'reboot';
  /** Its status says whether the director is off. Without that its success is believed, and counts once. */
  readonly verify: boolean;
  readonly timeout: Duration;
  /** Further attempts after the first. */
  readonly retries: number;
  /** Before the first attempt: a pair whose devices wait differently does not shoot each other. */
  readonly delay: Duration;
  /** Between two looks whether the device works, in peacetime; 0: never. */
  readonly monitor: Duration;
}

export type AgentAction = DeviceSettings['action'] | 'on' | 'status' | 'monitor';

/** How an agent's run ended: `status` is null where it was ended by a signal, ran too long or did not start. */
export interface AgentEnd {
  readonly status: number | null;
  /** What it said, or why it has no status. */
  readonly said: string;
}
