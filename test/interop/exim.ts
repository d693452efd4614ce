import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';

/** A mail server that keeps what it gets. */
export interface MailServer {
  /** Subject, sender, recipients and text of each mail, in the order of arrival. */
  mails(): string[];
  stop(): Promise<string>;
}

/** Starts Debian's exim4 on a host, on loopback, with all its files in the scene's folder. */
export async function startExim(host: Host, port: number): Promise<MailServer> {
  const folder = join(host.scene.folder, 'exim');
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const box = join(folder, 'box');
  const configuration = join(folder, 'exim.conf');
  writeFileSync(configuration, text(folder, box, port), { mode: 0o644 });
  const server: Program = host.start('exim4', ['exim4', '-C', configuration, '-bdf', '-q1m']);
  const log = join(folder, 'mainlog');
  const listens = (): boolean => existsSync(log) && readFileSync(log, 'utf8').includes('listening for SMTP');
  await host.scene.until('exim4 listens', listens);
  return { mails: () => mailsOf(box), stop: () => server.stop() };
}

const text = (folder: string, box: string, port: number): string => `
primary_hostname = mail.example.net
spool_directory = ${folder}
log_file_path = ${folder}/%slog
deliver_drop_privilege = true
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
pid_file_path = ${folder}/pid
keep_environment =
tls_advertise_hosts =
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
acl_smtp_rcpt = accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  file = ${box}
  batch_max = 100
  message_prefix = "MAIL $sender_address\\n"
  message_suffix = "END\\n"
begin retry
`;

function mailsOf(box: string): string[] {
  if (!existsSync(box)) return [];
  const all = readFileSync(box, 'utf8')
    .split(/^END\n/m)
    .slice(0, -1);
  return all.map((mail) => {
    const [head = '', ...body] = mail.split('\n\n');
    const subject = /^Subject: (.*)$/m.exec(head)?.[1];
    const [envelope] = head.split('\n');
    return `${subject} | ${envelope} | ${body.join('\n\n').trim()}`;
  });
}
