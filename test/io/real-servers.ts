import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Patience } from '../patience.ts';
import { eventually } from './namespace.ts';

/** Servers of Debian's packages on loopback, each with all its files in a folder of its own. */

/** A server that runs. */
export interface RealServer {
  readonly folder: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

const all: RealServer[] = [];

/** Ends those that still run, and removes their files. */
export async function stopServers(): Promise<void> {
  for (const server of all.splice(0)) {
    await server.stop();
    rmSync(server.folder, { recursive: true, force: true });
  }
}

/** A folder that servers may use, which run as another user. */
export function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  chmodSync(folder, 0o777);
  return folder;
}

/** Starts a server; when this resolves it accepts connections on `port`, if it is given. */
export async function startServer(
  folder: string,
  words: readonly string[],
  port?: number,
): Promise<RealServer> {
  const [program = '', ...rest] = words;
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  let ended = false;
  child.on('exit', () => {
    ended = true;
  });
  const server: RealServer = {
    folder,
    process: child,
    async stop() {
      child.kill('SIGKILL');
      await eventually(() => ended || undefined, `${program} ends`);
    },
  };
  all.push(server);
  const patience = new Patience(60);
  while (port !== undefined && !patience.isOver && !(await accepts(port))) {
    if (ended) throw new Error(`${program} ended: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return server;
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (good: boolean): void => {
      socket.destroy();
      resolve(good);
    };
    socket.on('connect', () => done(true)).on('error', () => done(false));
  });

/** A certificate for `name`, signed by itself: `cert.pem` and `key.pem` in the folder. */
export function makeCertificate(folder: string, name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...words, ...subject], { stdio: 'ignore' });
  return { cert, key };
}

/** apache2 with pages in `www` and in `www2`, the site of second.example; HTTPS on `port` + 1. Gives its command. */
export function apacheCommand(folder: string, address: string, port: number, name: string): string[] {
  for (const site of ['www', 'www2']) mkdirSync(join(folder, site), { recursive: true });
  const { cert, key } = makeCertificate(folder, name);
  const modules = ['mpm_event', 'authz_core', 'alias', 'ssl', 'socache_shmcb'];
  const site = (where: string, server: string, root: string, more = ''): string => `
<VirtualHost ${where}>
  ServerName ${server}
  DocumentRoot ${folder}/${root}
  ${more}
</VirtualHost>`;
  const secure = ['SSLEngine on', `SSLCertificateFile ${cert}`, `SSLCertificateKeyFile ${key}`].join('\n  ');
  const text = `
ServerRoot ${folder}
ServerName ${name}
PidFile ${folder}/pid
Mutex pthread
ErrorLog ${folder}/error.log
${modules.map((module) => `LoadModule ${module}_module /usr/lib/apache2/modules/mod_${module}.so`).join('\n')}
User www-data
Listen ${address}:${port}
Listen ${address}:${port + 1} https
Redirect /round /round
SSLSessionCache none
${site(`${address}:${port}`, name, 'www')}
${site(`${address}:${port}`, 'second.example', 'www2')}
${site(`${address}:${port + 1}`, name, 'www', secure)}
`;
  writeFileSync(join(folder, 'apache.conf'), text);
  return ['apache2', '-X', '-f', join(folder, 'apache.conf')];
}

export async function startApache(
  port: number,
  name: string,
): Promise<RealServer & { readonly cert: string }> {
  const folder = newFolder('apache');
  const server = await startServer(folder, apacheCommand(folder, '127.0.0.1', port, name), port);
  return { ...server, cert: join(folder, 'cert.pem') };
}

/** Debian's exim4, which does not want to hear from unwanted.example. */
export function eximCommand(folder: string, address: string, port: number): string[] {
  const text = `
primary_hostname = mail.example.net
spool_directory = ${folder}
log_file_path = ${folder}/%slog
local_interfaces = ${address}
daemon_smtp_ports = ${port}
pid_file_path = ${folder}/pid
keep_environment =
tls_advertise_hosts =
acl_smtp_helo = helo
begin acl
helo:
  deny message = go away
       condition = \${if eq{$sender_helo_name}{unwanted.example}}
  accept
`;
  writeFileSync(join(folder, 'exim.conf'), text, { mode: 0o644 });
  return ['exim4', '-C', join(folder, 'exim.conf'), '-bdf', '-q1h'];
}

export function startExim(port: number): Promise<RealServer> {
  const folder = newFolder('exim');
  return startServer(folder, eximCommand(folder, '127.0.0.1', port), port);
}

/** dnsmasq that knows good.example and nothing else. */
export function dnsmasqCommand(folder: string, address: string, port: number): string[] {
  const words = ['-k', '-C', '/dev/null', '--user=root', `--pid-file=${folder}/pid`, '--no-resolv'];
  const serving = [`--port=${port}`, `--listen-address=${address}`, '--bind-interfaces', '--no-hosts'];
  return ['dnsmasq', ...words, ...serving, '--host-record=good.example,192.0.2.1'];
}

export function startDnsmasq(port: number): Promise<RealServer> {
  const folder = newFolder('dnsmasq');
  return startServer(folder, dnsmasqCommand(folder, '127.0.0.1', port), port);
}

export const fileText = (path: string): string => readFileSync(path, 'utf8');
