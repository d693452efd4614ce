import { type Dialogue, latin1 } from '../../core/check/dialogue.ts';
import { HttpDialogue } from '../../core/check/http.ts';
import type { HttpCheck } from '../../core/check/settings.ts';
import type { CheckResult } from '../../core/check/verdict.ts';
import { familyOf, parseIp } from '../../core/ip.ts';
import { micros, seconds } from '../../core/time.ts';
import type { Command } from '../../io/arguments.ts';
import { md5 } from '../../io/digest.ts';
import { StreamProbe } from '../../io/probe-stream.ts';

/** keepalived's `genhash`: the same options. */
interface GenhashOptions {
  readonly server: string;
  readonly port: string;
  readonly url: string;
  readonly useSsl?: boolean;
  readonly useSni?: boolean;
  readonly useVirtualhost?: string;
  readonly verbose?: boolean;
  readonly fwmark?: string;
  readonly protocol: string;
  readonly timeout: string;
}

const VERSIONS: Readonly<Record<string, HttpCheck['version']>> = {
  '1.0': '1.0',
  '1.0c': '1.0C',
  '1.1': '1.1',
};
/** No body has it: the check then says what the digest is. */
const NO_DIGEST = 'none';

/** The command `genhash`, for the `digest` of an HTTP check. */
export function addGenhash(program: Command): Command {
  return program
    .command('genhash')
    .description("fetch a page and print its body's MD5, for digest in HTTP_GET and SSL_GET")
    .requiredOption('-s, --server <address>', 'address of the server')
    .option('-p, --port <port>', 'its port', '80')
    .requiredOption('-u, --url <path>', 'path of the page')
    .option('-S, --use-ssl', 'over TLS')
    .option('-I, --use-sni', 'send the virtual host in the TLS handshake')
    .option('-V, --use-virtualhost <name>', 'Host header')
    .option('-P, --protocol <version>', 'HTTP version: 1.0, 1.0c (with Connection: close) or 1.1', '1.0')
    .option('-m, --fwmark <mark>', "mark of the connection's packets", '0')
    .option('-t, --timeout <seconds>', 'limit', '5')
    .option('-v, --verbose', 'print the header too')
    .action(async (options: GenhashOptions) => {
      process.exitCode = await genhash(options);
    });
}

async function genhash(options: GenhashOptions): Promise<number> {
  const check = checkOf(options);
  if (typeof check === 'string') {
    process.stderr.write(`vipkeeper: ${check}\n`);
    return 1;
  }
  let found: string | undefined;
  let head = '';
  const newHash = () => {
    const hash = md5();
    return { update: hash.update, hex: () => (found = hash.hex()) };
  };
  const dialogue = new HttpDialogue(check, 0, newHash);
  const heard: Dialogue = {
    begin: () => dialogue.begin(),
    feed(bytes) {
      if (!/\r?\n\r?\n/.test(head)) head += latin1(bytes);
      return dialogue.feed(bytes);
    },
    close: () => dialogue.close(),
    missing: () => dialogue.missing(),
  };
  const result = await new Promise<CheckResult>((done) => {
    new StreamProbe(check, heard, done, check.tls === undefined ? undefined : { check, part: 0 });
  });
  if (found === undefined) {
    process.stderr.write(`vipkeeper: ${check.address} port ${check.port}: ${result.reason}\n`);
    return 1;
  }
  if (options.verbose) process.stdout.write(`${head.split(/\r?\n\r?\n/)[0]}\n\n`);
  process.stdout.write(`${found}\n`);
  return 0;
}

/** The check that fetches the page, or what is wrong with the options. */
function checkOf(options: GenhashOptions): HttpCheck | string {
  const address = parseIp(options.server);
  const [port, timeout, mark] = [Number(options.port), Number(options.timeout), Number(options.fwmark)];
  const version = VERSIONS[options.protocol.toLowerCase()];
  if (address === undefined) return `${options.server} is no address`;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return `${options.port} is no port`;
  if (!(timeout > 0 && timeout < 3600)) return `${options.timeout}: a time in seconds is expected`;
  if (!Number.isInteger(mark) || mark < 0 || mark > 0xffff_ffff) return `${options.fwmark} is no mark`;
  if (version === undefined) return `${options.protocol}: 1.0, 1.0c or 1.1 is expected`;
  const host = options.useVirtualhost ?? (familyOf(address) === 6 ? `[${address}]:${port}` : undefined);
  const request = {
    path: options.url,
    ...(host === undefined ? {} : { host }),
    statuses: [{ first: 100, last: 599 }],
    digest: NO_DIGEST,
    compliant: false,
  };
  const never = { period: seconds(1), warmup: micros(0), retries: 0, retryDelay: seconds(1), alpha: false };
  const tls = { sni: options.useSni === true, verify: false };
  return {
    ...{ kind: 'http', address, port, timeout: seconds(timeout), mark, version, ...never },
    ...{ requests: [request], fastRecovery: false },
    ...(options.useSsl ? { tls } : {}),
  };
}
