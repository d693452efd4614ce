import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { Stage, until } from './stage.ts';

await enclose();

/**
 * A canary in the configuration, looked for in all that a daemon lets out: log, terminal, files, answers, command lines
 * and environments. It is in copies of the configuration alone, which are the owner's.
 */
const test = suite('secrets and what a daemon lets out');
const stage = new Stage();
test.after(() => stage.close());

/** Eight bytes of each are a password; hexadecimal too, as keys are kept. */
const CANARY = 'canaryAH';
const KEY = 'canary-in-a-mine-of-more-than-32-bytes';
const FOUND = new RegExp(
  [CANARY, KEY, ...[CANARY, KEY].map((text) => Buffer.from(text).toString('hex'))].join('|'),
);
const saved = join(stage.folder, 'saved');
const script = join(stage.folder, 'notify.sh');
const told = join(stage.folder, 'told');

const router = (name: string, vrid: number, ...lines: readonly string[]): string => `vrrp_instance ${name} {
  interface lan
  virtual_router_id ${vrid}
  priority 255
  advert_int 1
  notify ${script}
  virtual_ipaddress {
    10.9.0.${100 + vrid}/24
  }
  ${lines.join('\n  ')}
}
`;
const pass = (type: string): string =>
  `authentication {\n auth_type ${type}\n auth_pass ${CANARY}-and-more\n }`;
const TEXT = `global_defs {
  config_save_dir ${saved}
  script_user root
}
SSL {
  password ${KEY}
}
${router('pass', 1, pass('PASS'))}${router('ah', 2, pass('AH'))}
${router('hmac', 3, 'version 3', `auth_hmac {\n key 1 ${KEY}\n active_key 1\n }`)}`;

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((each) =>
    each.isFile() ? [join(each.parentPath, each.name)] : [],
  );

test('nothing that comes out has it', async () => {
  writeFileSync(script, `#!/bin/sh\necho "$@" >>${told}\nenv >>${told}\n`, { mode: 0o755 });
  stage.configure(TEXT);
  const log = join(stage.folder, 'log');
  const [program = '', ...words] = stage.command('-P', '-n', '-l', '-D', '-g', log);
  const daemon = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: stage.folder },
  });
  let out = '';
  for (const stream of [daemon.stdout, daemon.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
  try {
    until(
      () => stage.runs && stage.status().vrrp?.instances.every(({ state }) => state === 'MASTER') === true,
      'masters',
    );
    for (const answer of [
      stage.operator('status'),
      stage.operator('status', '--json'),
      stage.operator('explain'),
      stage.operator('reload'),
      stage.operator('check', stage.file),
      stage.operator('check', '--json', stage.file),
      stage.operator('check', '--print', stage.file),
      stage.daemon('-t'),
    ]) {
      out += answer.stdout + answer.stderr;
    }
    stage.configure(
      `${TEXT}vrrp_instance bad {\n auth_pass ${KEY}\n authentication {\n auth_pass ${KEY} ${KEY}\n`,
    );
    const refused = stage.operator('reload');
    assert.is(refused.status, 1);
    out += refused.stdout + refused.stderr;
    for (const signal of ['SIGUSR1', 'SIGUSR2', 36] as const) process.kill(daemon.pid ?? 0, signal);
    const dumps = ['.data', '_check.data', '_parent.data', '.stats', '.json'];
    until(() => dumps.every((name) => readdirSync(stage.folder).includes(`keepalived${name}`)), 'the dumps');
    for (const pid of [daemon.pid ?? 0, stage.pid('vrrp')]) {
      for (const name of ['cmdline', 'environ']) out += readFileSync(`/proc/${pid}/${name}`, 'utf8');
    }
    until(() => readFileSync(told, 'utf8').includes('hmac'), 'the scripts');
  } finally {
    daemon.kill('SIGTERM');
    await once(daemon, 'close');
  }
  assert.match(out, /auth_pass: only the first 8 bytes are used/);
  assert.not.match(out, FOUND);
  const copies = readdirSync(saved).map((name) => join(saved, name));
  assert.is(copies.length > 0, true);
  for (const file of filesBelow(stage.folder)) {
    const text = readFileSync(file, 'utf8');
    if (file === stage.file || copies.includes(file)) assert.match(text, FOUND);
    else assert.not.match(text, FOUND, file);
    if (copies.includes(file)) assert.is(statSync(file).mode & 0o777, 0o600);
  }
});

test('who asks for them by name is told: a copy that can be used', () => {
  stage.configure(TEXT);
  const { stdout } = stage.operator('check', '--print', '--secrets', stage.file);
  assert.match(stdout, /auth_pass canaryAH/);
});

test.run();
