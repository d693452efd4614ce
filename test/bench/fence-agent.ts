import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a power strip does when it is told to switch a host off. `late`: when nobody waits for it any more; `lies`: it
 * says that it did; `broken`: it answers nothing at all, and says so.
 */
export type StripManner = 'works' | 'hangs' | 'fails' | 'late' | 'lies' | 'broken';

/** The `timeout` of a device that is to be too late when it is `late`. */
export const STRIP_TIMEOUT_SECONDS = 3;
const LATE_SECONDS = STRIP_TIMEOUT_SECONDS + 1;

const agent = (vip: string): string => `#!/bin/sh
while IFS='=' read -r name value; do
  case $name in action) action=$value ;; plug) plug=$value ;; strip) strip=$value ;; esac
done
if [ "$action" = metadata ]; then
  cat <<XML
<?xml version="1.0" ?>
<resource-agent name="fence_netns" shortdesc="network namespaces">
<parameters>
  <parameter name="action" required="1"><content type="string" default="off" /></parameter>
  <parameter name="plug" required="1"><content type="string" /></parameter>
  <parameter name="strip" required="1"><content type="string" /></parameter>
</parameters>
<actions>
  <action name="off" /><action name="on" /><action name="status" /><action name="monitor" />
  <action name="metadata" />
</actions>
</resource-agent>
XML
  exit 0
fi
off() {
  ip netns pids "$plug" | xargs -r kill -9
  ip -n "$plug" address flush to ${vip}
  rm -f "$strip/on-$plug"
}
if [ $# = 2 ]; then
  plug=$1 strip=$2
  sleep ${LATE_SECONDS}
  off
  exit
fi
case $(cat "$strip/manner")-$action in
broken-*) echo "the power switch does not answer" >&2; exit 1 ;;
*-monitor) exit 0 ;;
*-on) touch "$strip/on-$plug" ;;
works-off) off ;;
lies-off) : ;;
late-off) setsid "$0" "$plug" "$strip" </dev/null >/dev/null 2>&1 & sleep 60 ;;
hangs-off) sleep 60 ;;
lies-status) echo "Status: OFF"; exit 2 ;;
*-status)
  [ -e "$strip/on-$plug" ] || { echo "Status: OFF"; exit 2; }
  echo "Status: ON" ;;
*) exit 1 ;;
esac
`;

/**
 * The power of hosts, with a fence agent by the contract of Debian's. Off ends all processes of a host and takes its
 * virtual address, as a machine loses both with its power. Power that comes back starts nothing: that is the test's.
 */
export class PowerStrip {
  readonly #folder: string;
  readonly #agent: string;

  /** Its files are in `folder`; hosts that lose power lose `vip`. */
  constructor(folder: string, vip: string) {
    this.#folder = folder;
    this.#agent = join(folder, 'fence_netns');
    mkdirSync(folder, { recursive: true });
    writeFileSync(this.#agent, agent(vip));
    chmodSync(this.#agent, 0o755);
    this.behave('works');
  }

  /** The agent's path. */
  get agent(): string {
    return this.#agent;
  }

  /** The configuration of the device `power-of-HOST`, with these further lines. */
  device(host: string, ...lines: readonly string[]): string {
    return `fence_device power-of-${host} {
  agent ${this.#agent}
  target ${host}
  parameter plug ${host}
  parameter strip ${this.#folder}
  retries 0
${lines.map((line) => `  ${line}\n`).join('')}}
`;
  }

  /** What it does from now on. */
  behave(manner: StripManner): void {
    writeFileSync(join(this.#folder, 'manner'), manner);
  }

  isOn(host: string): boolean {
    return existsSync(this.#fileOf(host));
  }

  /** A person switches a host on. */
  switchOn(host: string): void {
    writeFileSync(this.#fileOf(host), '');
  }

  #fileOf(host: string): string {
    return join(this.#folder, `on-${host}`);
  }
}
