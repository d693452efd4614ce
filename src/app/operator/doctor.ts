import type { Configuration } from '../../core/config/model.ts';
import { examine } from '../../core/doctor/examine.ts';
import type { HeardFacts } from '../../core/doctor/facts.ts';
import type { Finding } from '../../core/doctor/finding.ts';
import { neededModules } from '../../core/doctor/kernel.ts';
import type { Ip } from '../../core/ip.ts';
import type { StatusReport } from '../../core/status/report.ts';
import type { Command } from '../../io/arguments.ts';
import { readDoctorFacts } from '../../io/doctor.ts';
import { paint } from '../../io/screen.ts';
import { lengthOf } from '../standing.ts';
import { type CommonOptions, fail } from './ask.ts';
import { enterNamespaceOf } from './enter.ts';
import { tryLook } from './look.ts';

const EXAMPLES = `
Looks at kernel modules, sysctls, interfaces, rp_filter, firewall marks, the gateway of NAT servers, ARP of real
servers, adverts of the peer, systemd-networkd and NetworkManager, connection tracking and the clock, for what keeps
this configuration from working. Changes nothing. Ends with 0 when nothing was found, with 1 otherwise.

Examples:
  vipkeeper doctor                          the configuration of the daemon that runs, or keepalived.conf
  vipkeeper doctor /etc/vipkeeper/new.conf  another one, also where no daemon runs`;
const DEFAULT_FILE = '/etc/keepalived/keepalived.conf';

export function addDoctor(program: Command): void {
  program
    .command('doctor [file]')
    .description('what on this host keeps a configuration from working, and the commands that mend it')
    .option('--json', 'as data')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, _options, self: Command) => {
      const options: CommonOptions = self.optsWithGlobals();
      const looked = await tryLook(options);
      const report = 'report' in looked ? looked.report : undefined;
      enterNamespaceOf(options, report);
      const configuration = await read(file ?? report?.configuration ?? DEFAULT_FILE);
      const facts = await readDoctorFacts({
        modules: neededModules(configuration).keys(),
        neighbours: neighboursOf(configuration),
      });
      const heard = report === undefined ? undefined : heardBy(report);
      const findings = examine(configuration, { ...facts, ...(heard && { heard }) });
      const unread = report === undefined ? ['what other routers say: no daemon runs here'] : [];
      show(findings, [...facts.unread, ...unread], options.json ?? false);
      process.exitCode = findings.length > 0 ? 1 : 0;
    });
}

async function read(file: string): Promise<Configuration> {
  const { readConfiguration, showFindings } = await import('../loading.ts');
  const loaded = readConfiguration({ useFile: file } as Parameters<typeof readConfiguration>[0]);
  if (loaded.configuration !== undefined) return loaded.configuration;
  showFindings(loaded);
  return fail(`${file} has errors: there is nothing to examine`);
}

/** VIPs and real servers: who answers for the former should be none of the latter. */
function neighboursOf({ virtualServers }: Configuration): Ip[] {
  const all = virtualServers.flatMap(({ services, realServers }) => [
    ...services.flatMap(({ key }) => (key.kind === 'address' ? [key.address] : [])),
    ...realServers.map(({ destination }) => destination.address),
  ]);
  return [...new Set(all)];
}

const heardBy = ({ vrrp, time }: StatusReport): HeardFacts[] =>
  (vrrp?.instances ?? []).map(({ name, state, since, peer, statistics }) => ({
    ...{ name, state, peer: peer !== null, age: since === null ? 0 : lengthOf(since, time) },
    rejected: Object.values(statistics?.rejected ?? {}).reduce((sum, count) => sum + count, 0),
  }));

const STYLE = { error: 'red', warning: 'yellow' } as const;

function show(findings: readonly Finding[], unread: readonly string[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ findings, unread }, null, 2)}\n`);
    return;
  }
  const lines = findings.flatMap(({ severity, subject, message, command, on }) => [
    `${paint(STYLE[severity], severity)}: ${paint('bold', subject)}: ${message}`,
    ...(on === undefined ? [] : [`    on ${on}:`]),
    `    ${paint('cyan', command)}`,
  ]);
  const counted =
    findings.length === 0 ? paint('green', 'nothing was found that keeps it from working') : undefined;
  const notRead = unread.map((what) => paint('gray', `not looked at: ${what}`));
  process.stdout.write(`${[...lines, ...(counted === undefined ? [] : [counted]), ...notRead].join('\n')}\n`);
}
