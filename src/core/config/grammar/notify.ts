import * as arg from '../arguments.ts';
import { keyword } from '../schema.ts';

const script = [arg.script] as const;

/** The scripts and mails that instances and sync groups have in common. */
export const notifyKeywords = {
  notify_master: keyword('run on MASTER', script),
  notify_backup: keyword('run on BACKUP', script),
  notify_fault: keyword('run on FAULT', script),
  notify_stop: keyword('run at the stop', script),
  notify: keyword('run on every change, with four words: kind, name, state, priority', script),
  smtp_alert: keyword('mail on change', [arg.bool]),
  notify_priority_changes: keyword('FIFO lines when the priority changes', [arg.bool]),
};
