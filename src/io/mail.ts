import { hostname, userInfo } from 'node:os';
import { createTransport } from 'nodemailer';

/** Where mail goes, and from whom. */
export interface MailRoute {
  readonly host: string;
  readonly port: number;
  /** What we call ourselves; the host's name when absent. */
  readonly helo?: string;
  /** `user@host` when absent. */
  readonly from?: string;
  readonly to: readonly string[];
  readonly connectMs: number;
}

export type MailOutcome =
  | { readonly type: 'sent' }
  | { readonly type: 'failed'; readonly why: string; readonly final: boolean };

/** A server that takes the connection and then says nothing. */
const SILENCE_MS = 30_000;

/**
 * Sends a mail by SMTP. TLS is used where the server offers it, whoever its certificate names: it is better than the
 * plain text that keepalived sends. Never throws.
 */
export async function sendMail(
  { host, port, helo = hostname(), from, to, connectMs }: MailRoute,
  { subject, text }: { readonly subject: string; readonly text: string },
): Promise<MailOutcome> {
  const transport = createTransport({
    host,
    port,
    name: helo,
    secure: false,
    tls: { rejectUnauthorized: false },
    connectionTimeout: connectMs,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
  });
  try {
    const sender = from ?? `${userInfo().username}@${hostname()}`;
    await transport.sendMail({ from: sender, to: [...to], subject, text, xMailer: false });
    return { type: 'sent' };
  } catch (error) {
    const { message, responseCode = 0 } = error as Error & { readonly responseCode?: number };
    // RFC 5321, 4.2.1: 5yz is permanent.
    return { type: 'failed', why: message, final: responseCode >= 500 };
  } finally {
    transport.close();
  }
}
