import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import type { Machine } from './scene/machine.ts';
import { Scene } from './scene/scene.ts';
import { Client, ECHO_PORT, realServer } from './scene/traffic.ts';

/**
 * The package of Debian in its life: made, installed on two directors that are a bare Debian with systemd, given
 * keepalived's configuration, failed over, upgraded, changed for keepalived and back, removed and purged.
 */
export const needs = 'pair of kernels';
export const limitSeconds = 1800;
export const long = true;

const VIP = '10.9.0.100';
const TREE = join(ROOT, 'dist/debian');
const PACKAGES = join(ROOT, 'packages');
const CONFIGURATION = '/etc/keepalived/keepalived.conf';
const CONNECTIONS = 20;
/** After such a silence the backup takes over. */
const DOWN_SECONDS = 3 + (256 - 100) / 256;

const story = suite('the package of Debian');
const scene = new Scene();
story.after(() => scene.close());
assert.ok(existsSync(TREE), `${TREE} is not there: npm run lab -- test/lab/installation.ts makes it`);
const make = (program: string, ...words: string[]): string =>
  execFileSync(program, words, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
make('sh', 'packaging/package.sh', '--unchecked');

const lan = scene.link('lan');
const user = scene.host('user').on(lan, '10.9.0.10/24');
const SERVER = '10.9.0.20';
const server = scene.host('server').on(lan, `${SERVER}/24`);
const options = { init: 'systemd', tree: TREE } as const;
const [one, two] = await Promise.all([
  scene.machine('one', [lan], options),
  scene.machine('two', [lan], options),
]);
const both = [one, two];

const transcript = join(process.env.LAB_RESULTS ?? scene.folder, 'transcript');
/** Runs it there; it and what it printed are in the transcript. */
async function sh(machine: Machine, command: string): Promise<string> {
  const text = (await machine.run(`exec 2>&1; ${command}`)).trim();
  appendFileSync(transcript, `${machine.name}# ${command}\n${text}${text === '' ? '' : '\n'}`);
  return text;
}

const packageOf = (name: string): string => {
  const file = readdirSync(PACKAGES).find((each) => each.startsWith(`${name}_`) && each.endsWith('.deb'));
  assert.ok(file, `no package ${name} was made`);
  return `/outside${PACKAGES}/${file}`;
};
const configuration = (priority: number): string => `vrrp_instance web {
  interface lan
  virtual_router_id 7
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
}
virtual_server ${VIP} 80 {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server 10.9.0.10 80 {
  }
}
virtual_server ${VIP} ${ECHO_PORT} {
  lb_algo rr
  lb_kind DR
  protocol TCP
  delay_loop 1
  real_server ${SERVER} ${ECHO_PORT} {
    TCP_CHECK {
      connect_timeout 2
    }
  }
}
`;
const property = (machine: Machine, name: string, unit = 'vipkeeper'): Promise<string> =>
  sh(machine, `systemctl show -P ${name} ${unit}`);
const holds = (machine: Machine): Promise<boolean> =>
  machine.succeeds(`ip -o address show to ${VIP} | grep -q .`);
const untilHolds = (machine: Machine, what: string): Promise<number> =>
  scene.until(`${what}: ${machine.name} holds the VIP`, () => holds(machine));

story('it is installed where there is no compiler, no npm and no Node, and starts nothing', async () => {
  for (const [i, machine] of both.entries()) {
    await sh(machine, `ip address add 10.9.0.${i + 1}/24 dev lan`);
    assert.not.ok(await machine.succeeds('command -v node || command -v npm || command -v cc'));
    await sh(machine, `dpkg -i ${packageOf('vipkeeper-runtime')} ${packageOf('vipkeeper')}`);
    assert.is(await sh(machine, 'dpkg --audit'), '');
    assert.not.ok(await machine.succeeds('command -v node'), 'its Node is not in PATH');
    assert.is(await property(machine, 'ActiveState'), 'inactive');
    assert.is(await property(machine, 'UnitFileState'), 'disabled');
    await sh(machine, 'getent group vipkeeper; getent passwd vipkeeper_script; ls /usr/lib/vipkeeper');
  }
});

story("with keepalived's file two directors start, and one holds the VIP and the table", async () => {
  for (const [i, machine] of both.entries()) {
    await machine.run(`cat >${CONFIGURATION} <<'END'\n${configuration(150 - i * 50)}END`);
    await sh(machine, 'vipkeeperd -t && systemctl enable --now vipkeeper');
  }
  await untilHolds(one, 'at the start');
  await scene.until('the other one knows', async () => !(await holds(two)));
  await scene.until('the table', () => one.succeeds('lvsadm -Sn | grep -q 10.9.0.10:80'));
  assert.match(await sh(one, 'vipkeeper status'), /MASTER/);
  assert.match(
    await sh(one, 'readlink /proc/$(cat /run/vipkeeper/vrrp.pid)/exe'),
    /\/usr\/lib\/vipkeeper\/runtime\/node$/,
  );
  await scene.until('the VIP answers', () => user.succeeds('ping', '-c', '1', '-W', '1', VIP));
  await sh(one, 'ls -l /var/cache/vipkeeper');
});

story('stopped, the master hands over; started again, it takes over', async () => {
  await sh(one, 'systemctl stop vipkeeper');
  assert.not.ok(await holds(one));
  await untilHolds(two, 'after the stop');
  await sh(one, 'systemctl start vipkeeper');
  await untilHolds(one, 'after the start');
  await scene.until('the other one lets go', async () => !(await holds(two)));
});

/** The same package with a higher version, and another VRRP process in it. */
function nextVersion(): string {
  const [folder, file] = [join(scene.folder, 'next'), join(scene.folder, 'next.deb')];
  const deb = packageOf('vipkeeper').replace('/outside', '');
  make('dpkg-deb', '-R', deb, folder);
  make('sed', '-i', 's/^Version: .*/&+next/', join(folder, 'DEBIAN/control'));
  appendFileSync(join(folder, 'usr/lib/vipkeeper/vrrp'), '// another build\n');
  make('dpkg-deb', '--root-owner-group', '-Znone', '-b', folder, file);
  return `/outside${file}`;
}

const vrrpOf = (machine: Machine): Promise<string> => machine.run('cat /run/vipkeeper/vrrp.pid');

/** The daemon is the same process and active; its VRRP process is another one. */
async function upgrade(machine: Machine, file: string): Promise<void> {
  await sh(machine, "echo '# mine' >>/etc/default/vipkeeper");
  const [daemon, vrrp] = [await property(machine, 'MainPID'), await vrrpOf(machine)];
  await sh(machine, `dpkg -i ${file}`);
  assert.is(await property(machine, 'ActiveState'), 'active');
  assert.is(await property(machine, 'MainPID'), daemon);
  assert.is.not(await vrrpOf(machine), vrrp);
  assert.match(await sh(machine, 'cat /etc/default/vipkeeper'), /^# mine$/m);
  assert.is(await property(machine, 'UnitFileState'), 'enabled');
  await sh(machine, 'journalctl -u vipkeeper -n 12 --no-pager');
}

story(
  "an upgrade keeps the operator's files; the VIP is never absent, and no connection is cut",
  async () => {
    for (const setting of ['arp_ignore=1', 'arp_announce=2'])
      server.run('sysctl', '-qw', `net.ipv4.conf.all.${setting}`);
    server.run('ip', 'address', 'add', `${VIP}/32`, 'dev', 'lo');
    await realServer(server);
    const client = await Client.start(user);
    await scene.until('a real server', () => one.succeeds(`lvsadm -Sn | grep -q ${SERVER}:${ECHO_PORT}`));
    const { open } = await client.open(CONNECTIONS, VIP);
    assert.is(open, CONNECTIONS);
    const next = nextVersion();
    for (const [machine, role] of [
      [two, 'the backup'],
      [one, 'the master'],
    ] as const) {
      const watched = watchVip(one);
      const capture = await lan.capture();
      await client.measure();
      await upgrade(machine, next);
      const report = await client.everyConnectionAnswers();
      await capture.stop();
      assert.equal(await watched(), [], 'the kernel removed no VIP');
      assert.ok((await holds(one)) && !(await holds(two)));
      const adverts = capture.fields('vrrp', 'ip.src', 'vrrp.prio', 'frame.time_epoch');
      assert.ok(
        adverts.length > 0 &&
          adverts.every(([source, priority]) => source === '10.9.0.1' && priority !== '0'),
      );
      const times = adverts.map(([, , time]) => Number(time));
      const gap = Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? time)));
      const silence = (report.longestSilenceMilliseconds / 1000).toFixed(3);
      const told =
        `${role} was upgraded: ${report.open} of ${CONNECTIONS} connections are open, their longest silence ` +
        `was ${silence} s; longest time between adverts, each 1 s: ${gap.toFixed(3)} s`;
      appendFileSync(transcript, `${told}\n`);
      process.stdout.write(`${told}\n`);
      assert.is(report.open, CONNECTIONS);
      assert.ok(gap < DOWN_SECONDS, told);
    }
    for (const machine of both) assert.is(await property(machine, 'NRestarts'), '0');
  },
);

/** Follows what the kernel says of the VIP; what is returned ends that, and gives what it said. */
function watchVip(machine: Machine): () => Promise<string[]> {
  const monitor = machine.start('monitor', ['ip', '-o', 'monitor', 'address']);
  return async () => {
    monitor.signal('SIGTERM');
    // Renewals of a lease are said too; only its end is not to be.
    return monitor.log.split('\n').filter((line) => line.startsWith('Deleted') && line.includes(VIP));
  };
}

story('migrate: back to keepalived, what differs, and to vipkeeper again', async () => {
  await sh(two, 'systemctl stop vipkeeper');
  assert.match(
    await sh(one, 'vipkeeper migrate --back'),
    /keepalived\.service: active, enabled; vipkeeper\.service: inactive, disabled/,
  );
  await untilHolds(one, 'with keepalived');
  await one.run(`sed -i '1i global_defs {\\n  max_auto_priority 99\\n}' ${CONFIGURATION}`);
  const said = await sh(one, 'vipkeeper migrate');
  assert.match(said, /accepted, not acted on/);
  assert.match(said, /^keepalived\.service: active, enabled$/m);
  assert.is(await property(one, 'ActiveState', 'keepalived'), 'active', 'it changes nothing by itself');
  await one.run(
    `cp ${CONFIGURATION} /root/good && sed -i 's/virtual_router_id/virtual_routr_id/' ${CONFIGURATION}`,
  );
  assert.not.ok(await one.succeeds('vipkeeper migrate --take-over'));
  assert.is(await property(one, 'ActiveState', 'keepalived'), 'active', 'not with errors');
  await one.run(`cp /root/good ${CONFIGURATION}`);
  await sh(one, 'vipkeeper migrate --take-over');
  assert.is(await property(one, 'ActiveState', 'keepalived'), 'inactive');
  assert.is(await property(one, 'UnitFileState', 'keepalived'), 'disabled');
  await untilHolds(one, 'with vipkeeper');
});

story('one that does not start leaves keepalived as it was', async () => {
  await sh(one, 'vipkeeper migrate --back');
  await sh(one, 'mkdir -p /etc/systemd/system/vipkeeper.service.d');
  await one.run(
    "printf '[Service]\\nExecStartPre=/bin/false\\n' >/etc/systemd/system/vipkeeper.service.d/no.conf",
  );
  await sh(one, 'systemctl daemon-reload; ! vipkeeper migrate --take-over');
  assert.is(await property(one, 'ActiveState', 'keepalived'), 'active');
  assert.is(await property(one, 'UnitFileState', 'keepalived'), 'enabled');
  await sh(one, 'rm -r /etc/systemd/system/vipkeeper.service.d && systemctl daemon-reload');
  await sh(one, 'vipkeeper migrate --take-over');
  await untilHolds(one, 'with vipkeeper');
});

story('removed, it stops and takes away what it made; purged, it leaves nothing', async () => {
  await sh(one, 'dpkg -r vipkeeper');
  assert.not.ok(await holds(one));
  assert.is(await sh(one, 'ipvsadm -Sn'), '');
  assert.not.ok(await one.succeeds('pgrep -f "[v]ipkeeper"'));
  assert.ok(await one.succeeds('test -e /etc/vipkeeper/vipkeeper.conf'));
  await sh(one, 'dpkg -P vipkeeper vipkeeper-runtime');
  const found = await sh(
    one,
    "find / -xdev '(' -path /outside -o -path /lab -o -path /proc -o -path /sys -o -path /mnt ')' -prune " +
      "-o -name '*vipkeeper*' -print",
  );
  assert.is(found, '');
  assert.is(await sh(one, 'getent group vipkeeper; getent passwd vipkeeper_script; :'), '');
});

const VERSION = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version as string;
const files = (pattern: RegExp): string[] =>
  readdirSync(PACKAGES)
    .filter((each) => pattern.test(each))
    .map((each) => join(PACKAGES, each));

story('the packages of the RHEL family are installed in a bare tree, work there, and are removed', () => {
  const [root, upper, work] = ['redhat', 'upper', 'work'].map((name) => join(scene.folder, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [root, upper, work]) mkdirSync(folder);
  make('mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${TREE},upperdir=${upper},workdir=${work}`, root);
  make('mount', '--bind', '/proc', join(root, 'proc'));
  try {
    const there = (...words: string[]): string => make('chroot', root, ...words).trim();
    const rpm = (...words: string[]): string => make('rpm', '--root', root, ...words).trim();
    // Its dependencies are there, as packages of Debian.
    rpm('-i', '--nodeps', ...files(/\.rpm$/));
    assert.is(rpm('-V', '--nodeps', 'vipkeeper', 'vipkeeper-runtime'), '');
    writeFileSync(join(root, CONFIGURATION), configuration(100).replace('interface lan', 'interface lo'));
    assert.match(there('vipkeeperd', '--version'), new RegExp(VERSION.replaceAll('.', '\\.')));
    there('vipkeeper', 'check', CONFIGURATION);
    assert.match(there('lvsadm', '--help'), /add-service/);
    assert.match(there('getent', 'passwd', 'vipkeeper_script'), /^vipkeeper_script:/);
    rpm('-e', '--nodeps', 'vipkeeper', 'vipkeeper-runtime');
    assert.not.ok(
      existsSync(join(root, 'usr/lib/vipkeeper')) || existsSync(join(root, 'usr/sbin/vipkeeperd')),
    );
  } finally {
    make('umount', join(root, 'proc'));
    make('umount', root);
  }
});

story('the package of npm is installed without a compiler, and its addon works', () => {
  const prefix = join(scene.folder, 'npm');
  make('npm', 'install', '--global', '--offline', '--ignore-scripts', '--prefix', prefix, ...files(/\.tgz$/));
  const file = join(scene.folder, 'npm.conf');
  writeFileSync(file, configuration(100).replace('interface lan', 'interface lo'));
  const program = (name: string, ...words: string[]): string => make(join(prefix, 'bin', name), ...words);
  assert.match(program('vipkeeperd', '--version'), new RegExp(VERSION.replaceAll('.', '\\.')));
  assert.match(program('lvsadm', '--help'), /add-service/);
  // Looks at the kernel's addresses and locks a folder: with the addon.
  program('vipkeeperd', '--clear-remains', '-f', file, '--run-dir', join(scene.folder, 'npm-run'));
});

story.run();
