import type { MailSettings } from '../../notify/settings.ts';
import { seconds } from '../../time.ts';
import type { globalDefs } from '../grammar/global.ts';
import type { Section } from '../tree.ts';
import type { Context } from './context.ts';

const SMTP_PORT = 25;
/** `smtp_connect_timeout` unless it is said. */
const CONNECT_TIMEOUT = seconds(30);

/** Mail is sent when there are both somebody to send it to and a server. */
export function buildMail(
  global: Section<typeof globalDefs>,
  { findings }: Context,
): MailSettings | undefined {
  const to = global.items('notification_email').map(({ value }) => value);
  const server = global.last('smtp_server');
  if (to.length === 0 || server === undefined) {
    const at = global.token('notification_email') ?? global.token('smtp_server');
    const missing = to.length === 0 ? 'notification_email' : 'smtp_server';
    if (at !== undefined) findings.warning(at, `no mail is sent: there is no ${missing}`);
    return undefined;
  }
  const [host, port = SMTP_PORT] = server.values;
  const from = global.value('notification_email_from');
  const helo = global.value('smtp_helo_name');
  const timeout = global.value('smtp_connect_timeout') ?? CONNECT_TIMEOUT;
  return {
    to,
    ...(from !== undefined && { from }),
    host,
    port,
    ...(helo !== undefined && { helo }),
    // keepalived takes 0 as 1 second.
    connectTimeout: timeout === 0 ? seconds(1) : timeout,
    faults: !global.has('no_email_faults'),
    eachCheck: !(global.value('no_checker_emails') ?? false),
  };
}
