import { type Argv, shellLine } from '../preparation/setting.ts';

/** Something on a host that keeps a configuration from working, or may. */
export interface Finding {
  /** `error`: it can not work so. `warning`: it may not, or not always. */
  readonly severity: 'error' | 'warning';
  /** What was looked at: `kernel modules`, `marks`. */
  readonly subject: string;
  readonly message: string;
  /** What mends it, as it may be typed into a shell. */
  readonly command: string;
  /** Where the command belongs, if not here. */
  readonly on?: string;
}

export const line = (...argv: Argv): string => shellLine(argv);
