import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf } from './director.ts';
import type { Host } from './host.ts';

/** Who may log in to the simulated BMCs. */
export const BMC_USER = { name: 'admin', password: 'a-secret-of-bmcs' } as const;

/**
 * The BMC of a host: ipmi_sim of Debian's package openipmi, on an address of another host. Its power switch ends all
 * processes of the host and takes its addresses `flushed`, as a machine loses both with its power. Power that comes
 * back is told: the test boots the host then.
 */
export class Bmc {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts it at `address` of the host `at`, and waits until it answers. */
  static async start(at: Host, address: string, of: Host, flushed: string): Promise<Bmc> {
    const folder = pathOf(at, `bmc-of-${of.name}`);
    mkdirSync(join(folder, 'state'), { recursive: true });
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const bmc = new Bmc(folder);
    bmc.power = true;
    const control = write('control', controlScript(folder, of.name, flushed));
    chmodSync(control, 0o755);
    const configuration = write('lan.conf', lanConfiguration(address, control));
    const commands = write('commands', COMMANDS);
    at.start(`ipmi_sim of ${of.name}`, [
      ...['ipmi_sim', '-c', configuration, '-f', commands, '-s', join(folder, 'state'), '-n'],
    ]);
    const { name, password } = BMC_USER;
    const ask = ['ipmitool', '-I', 'lanplus', '-C', '3', '-H', address, '-U', name, '-P', password];
    await at.scene.until(`the BMC of ${of.name} answers`, () =>
      at.succeeds(...ask, '-N', '1', '-R', '1', 'chassis', 'power', 'status'),
    );
    return bmc;
  }

  get power(): boolean {
    return readFileSync(join(this.#folder, 'power'), 'utf8').trim() === '1';
  }

  /** By a person who presses its button: nothing is ended by that. */
  set power(on: boolean) {
    writeFileSync(join(this.#folder, 'power'), on ? '1\n' : '0\n');
  }

  /** What others had it do, in order: `off`, `on`. */
  get switched(): string[] {
    const file = join(this.#folder, 'switched');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }
}

/** ipmi_sim calls it with its own address, `get` or `set`, and what. */
const controlScript = (folder: string, host: string, flushed: string): string => `#!/bin/sh
case "$2 $3 $4" in
'get power ') echo "power:$(cat ${folder}/power)" ;;
'set power 1')
  echo on >>${folder}/switched
  echo 1 >${folder}/power ;;
'set power 0')
  # It is off when nothing runs any more: a process that was killed may take a while to be gone.
  for i in $(seq 600); do
    pids=$(ip netns pids ${host})
    [ -n "$pids" ] || break
    kill -9 $pids 2>/dev/null
    sleep 0.05
  done
  ip -n ${host} -o address show to ${flushed} | while read -r _ device _ address _; do
    ip -n ${host} address del "$address" dev "$device"
  done
  echo off >>${folder}/switched
  echo 0 >${folder}/power ;;
*) exit 1 ;;
esac
`;

const AUTHENTICATION = ['callback', 'user', 'operator', 'admin']
  .map((level) => `    allowed_auths_${level} none md2 md5 straight\n`)
  .join('');

const lanConfiguration = (address: string, control: string): string => `name "director"
set_working_mc 0x20
  startlan 1
    addr ${address} 623
    priv_limit admin
${AUTHENTICATION}    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "${control} 0x20"
  user 1 true "" "none" user 10 none md2 md5 straight
  user 2 true "${BMC_USER.name}" "${BMC_USER.password}" admin 10 none md2 md5 straight
`;

const COMMANDS = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
`;
