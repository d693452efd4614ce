import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  for (let tries = 0; port !== undefined && tries < 500 && !(await accepts(port)); tries++) {
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

/** apache2 with pages in `www` and in `www2`, the site of second.example; HTTPS on `port` + 1. */
export async function startApache(
  port: number,
  name: string,
): Promise<RealServer & { readonly cert: string }> {
  const folder = newFolder('apache');
  for (const site of ['www', 'www2']) mkdirSync(join(folder, site));
  const { cert, key } = makeCertificate(folder, name);
  const modules = ['mpm_event', 'authz_core', 'alias', 'ssl', 'socache_shmcb'];
  const text = `
ServerRoot ${folder}
ServerName ${name}
PidFile ${folder}/pid
Mutex pthread
ErrorLog ${folder}/error.log
${modules.map((module) => `LoadModule ${module}_module /usr/lib/apache2/modules/mod_${module}.so`).join('\n')}
User www-data
Listen 127.0.0.1:${port}
Listen 127.0.0.1:${port + 1} https
Redirect /round /round
DocumentRoot ${folder}/www
SSLSessionCache none
<VirtualHost 127.0.0.1:${port}>
  ServerName ${name}
  DocumentRoot ${folder}/www
</VirtualHost>
<VirtualHost 127.0.0.1:${port}>
  ServerName second.example
  DocumentRoot ${folder}/www2
</VirtualHost>
<VirtualHost 127.0.0.1:${port + 1}>
  ServerName ${name}
  SSLEngine on
  SSLCertificateFile ${cert}
  SSLCertificateKeyFile ${key}
  DocumentRoot ${folder}/www
</VirtualHost>
`;
  writeFileSync(join(folder, 'apache.conf'), text);
  const server = await startServer(folder, ['apache2', '-X', '-f', join(folder, 'apache.conf')], port);
  return { ...server, cert };
}

/** Debian's exim4. */
export function startExim(port: number): Promise<RealServer> {
  const folder = newFolder('exim');
  const text = `
primary_hostname = mail.example.net
spool_directory = ${folder}
log_file_path = ${folder}/%slog
local_interfaces = 127.0.0.1
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
  return startServer(folder, ['exim4', '-C', join(folder, 'exim.conf'), '-bdf', '-q1h'], port);
}

/** dnsmasq that knows good.example and nothing else. */
export function startDnsmasq(port: number): Promise<RealServer> {
  const folder = newFolder('dnsmasq');
  const words = [
    '-k',
    '-C',
    '/dev/null',
    '--user=root',
    `--pid-file=${folder}/pid`,
    '--no-resolv',
    '--no-hosts',
  ];
  const serving = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces'];
  return startServer(folder, ['dnsmasq', ...words, ...serving, '--host-record=good.example,192.0.2.1'], port);
}

export const fileText = (path: string): string => readFileSync(path, 'utf8');
