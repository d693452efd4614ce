import * as arg from '../arguments.ts';
import { keyword } from '../schema.ts';

/**
 * keepalived starts the scripts of each event at once and waits for none. Here those of an instance's or a group's next
 * event begin when the last have ended, `notify_timeout` at most, so that the last event is the last that scripts have
 * seen to. At the stop nothing waits.
 */
const script = [arg.script] as const;

/** The scripts and mails that instances and sync groups have in common. */
export const notifyKeywords = {
  notify_master: keyword('run on MASTER', script),
  notify_backup: keyword('run on BACKUP', script),
  notify_fault: keyword('run on FAULT', script),
  notify_stop: keyword('run at the stop', script),
  notify: keyword(
    'run on every change, with four words: kind, name, state, priority; after those of the change before',
    script,
  ),
  smtp_alert: keyword('mail on change', [arg.bool]),
  notify_priority_changes: keyword('FIFO lines when the priority changes', [arg.bool]),
};
