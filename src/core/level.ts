/** Syslog's words (RFC 5424, 6.2.1), without those that nothing here uses. */
export type Level = 'crit' | 'error' | 'warning' | 'notice' | 'info' | 'debug';
