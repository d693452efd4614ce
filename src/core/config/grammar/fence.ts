import { TAKEOVER_POLICIES } from '../../vrrp/takeover.ts';
import * as arg from '../arguments.ts';
import { block, keyword } from '../schema.ts';
import { ours } from './ours.ts';

const parameterName = arg.matching('NAME', "a parameter of the agent's metadata", /^[\w-]{1,63}$/);

/** `fence_device NAME`: what switches a director off. */
export const fenceDevice = ours({
  agent: keyword('the fence agent: a program in PATH, such as fence_ipmilan, or a path', [
    arg.text('PROGRAM'),
  ]),
  target: keyword('the director of heartbeat that it switches off', [arg.text('NAME', 63)]),
  parameter: keyword('a parameter of the agent', [parameterName, arg.text('VALUE')], {
    repeat: true,
    secret: 1,
  }),
  parameter_file: keyword(
    'a parameter whose value is the first line of a file',
    [parameterName, arg.text('FILE')],
    {
      repeat: true,
    },
  ),
  action: keyword('what it does to the director', [arg.choice('off', 'reboot')], { default: 'off' }),
  verify: keyword(
    'its status says whether the director is off; off: its success is believed, and nobody watches that it stays so',
    [arg.bool],
    { default: 'on' },
  ),
  level: keyword(
    'devices of one level all have to succeed; the next is tried when one fails',
    [arg.integer('N', 1, 9)],
    { default: '1' },
  ),
  timeout: keyword('a run that takes longer has failed', [arg.wholeSeconds(1, 600)], { default: '60' }),
  retries: keyword('further attempts after the first', [arg.integer('N', 0, 10)], { default: '1' }),
  delay: keyword('wait so long before the first attempt', [arg.timer(0, 60)], { default: '0' }),
  monitor: keyword('time between two looks whether it works; 0: never', [arg.wholeSeconds(0, 86_400)], {
    default: '60',
  }),
});

const policy = [arg.choice('wait', 'take', 'manual')] as const;
const ON_FAILURE =
  'when no fence device works: wait, and try again; take the addresses, which may be on both directors then; ' +
  'manual: wait for vipkeeper fence confirm';

/** `fencing`: when directors are switched off. */
export const fencing = ours({
  startup_alone: keyword(
    'what a director may do that has heard no other one since its start: wait for one; fence them; or take the ' +
      'addresses, which may be on both directors then',
    [arg.choice('wait', 'fence', 'take')],
    { default: 'wait' },
  ),
  on_fence_failure: keyword(`${ON_FAILURE}; unless a router or group says otherwise`, policy, {
    default: 'wait',
  }),
  watchdog: keyword(
    'feed a watchdog of the kernel, which resets this host when the vrrp process stands still, or when an address ' +
      'that must go cannot be removed; the time after which it does',
    [
      arg.matching('DEVICE', 'a device such as /dev/watchdog', /^\/\S+$/),
      arg.optional(arg.wholeSeconds(2, 600)),
    ],
    { default: 'none; 10 s' },
  ),
  notify: keyword(
    'run on alarms: a director was switched off or could not be, a device died, votes were lost, a backup lacks ' +
      'connections (lvs_sync_alarm); with four words: DIRECTOR, FENCE_DEVICE, VOTES or SYNC, name, what, 0',
    [arg.script],
  ),
  smtp_alert: keyword('mail on alarms', [arg.bool], {
    default: 'smtp_alert_vrrp, smtp_alert of global_defs',
  }),
});

/** Of a virtual router or a sync group. */
export const takeoverKeywords = ours({
  on_fence_failure: keyword(ON_FAILURE, policy, { default: 'what the block fencing says' }),
  takeover_policy: keyword(
    'what is needed to take over from a master whose adverts have stopped: silence alone; evidence: nothing else ' +
      'says that it serves on; proof: something says that it does not (TAKEOVER in vipkeeperd(8))',
    [arg.choice(...TAKEOVER_POLICIES)],
    { default: 'silence' },
  ),
});

export const fenceBlocks = {
  fence_device: block('what switches a director off: a fence agent', [arg.text('NAME', 63)], fenceDevice, {
    repeat: true,
    ours: true,
  }),
  fencing: block('when directors that are silent are switched off', [], fencing, { ours: true }),
};
