import type { ScriptSettings } from './settings.ts';

/** What becomes of the scripts that there are when others are configured. */
export interface ScriptChanges {
  /** By name: their runs end, and what they said is forgotten. */
  readonly ended: readonly string[];
  /** Other settings for the same command and user: what is known stays. */
  readonly changed: readonly ScriptSettings[];
  readonly begun: readonly ScriptSettings[];
}

/** One whose command and user are what they were goes on, and keeps its verdict. */
export function scriptChanges(
  known: ReadonlyMap<string, ScriptSettings>,
  configured: readonly ScriptSettings[],
): ScriptChanges {
  const wanted = new Map(configured.map((settings) => [settings.name, settings]));
  const goesOn = (settings: ScriptSettings): boolean => {
    const before = known.get(settings.name);
    return before !== undefined && identity(before) === identity(settings);
  };
  return {
    ended: Array.from(known.keys()).filter((name) => {
      const settings = wanted.get(name);
      return settings === undefined || !goesOn(settings);
    }),
    changed: [...wanted.values()].filter(
      (settings) => goesOn(settings) && JSON.stringify(settings) !== JSON.stringify(known.get(settings.name)),
    ),
    begun: [...wanted.values()].filter((settings) => !goesOn(settings)),
  };
}

const identity = ({ command, user }: ScriptSettings): string => JSON.stringify([command, user]);
