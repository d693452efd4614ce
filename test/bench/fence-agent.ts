import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a fence device does. `late`: when nobody waits for it any more; `lies`: it says that it did. */
export type DeviceManner = 'works' | 'hangs' | 'fails' | 'late' | 'lies';

/** A device's agent is waited for so long. */
export const DEVICE_TIMEOUT_SECONDS = 3;

const agent = (manner: string, vip: string): string => `#!/bin/sh
while IFS='=' read -r name value; do
  case $name in action) action=$value ;; plug) plug=$value ;; esac
done
if [ "$action" = metadata ]; then
  cat <<XML
<?xml version="1.0" ?>
<resource-agent name="fence_netns" shortdesc="network namespaces">
<parameters>
  <parameter name="action" required="1"><content type="string" default="off" /></parameter>
  <parameter name="plug" required="1"><content type="string" /></parameter>
</parameters>
<actions><action name="off" /><action name="status" /><action name="monitor" /><action name="metadata" /></actions>
</resource-agent>
XML
  exit 0
fi
off() {
  ip netns pids "$plug" | xargs -r kill -9
  ip -n "$plug" address flush dev net to ${vip}
}
if [ $# = 1 ]; then
  plug=$1
  sleep ${DEVICE_TIMEOUT_SECONDS + 1}
  off
  exit
fi
manner=$(cat ${manner})
case $action-$manner in
monitor-*) exit 0 ;;
off-works) off ;;
off-lies) : ;;
off-late) setsid "$0" "$plug" </dev/null >/dev/null 2>&1 & sleep 60 ;;
off-hangs) sleep 60 ;;
status-lies) exit 2 ;;
status-*) [ -n "$(ip netns pids "$plug")" ] || exit 2 ;;
*) exit 1 ;;
esac
`;

/**
 * Writes a fence agent for hosts in network namespaces to a folder: off ends all processes of the host `plug` and
 * takes its virtual address, as a machine loses both with its power. Gives its path, and who says what it does.
 */
export function writeAgent(
  folder: string,
  vip: string,
): { readonly path: string; readonly behave: (manner: DeviceManner) => void } {
  const [path, manner] = [join(folder, 'fence_netns'), join(folder, 'manner')];
  const behave = (now: DeviceManner): void => writeFileSync(manner, now);
  behave('works');
  writeFileSync(path, agent(manner, vip));
  chmodSync(path, 0o755);
  return { path, behave };
}
