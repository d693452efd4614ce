import * as assert from 'uvu/assert';
import { ip, run } from '../lab/scene/run.ts';
import type { Test } from '../suite.ts';
import { type Segment, virtualMac } from './segment.ts';
import { elections, type Opened, type Part } from './story.ts';

/** Parts of a story whose directors have VMACs. */

/** Whoever is master, the client finds it at the same MAC address, and never asks for it again. */
function sameAddress(test: Test, opened: Opened): void {
  test('the client keeps the MAC address that it learnt, whoever is master', async () => {
    const { first, second, client, addresses } = opened();
    const [vip = ''] = addresses.slice(-1);
    const mac = virtualMac(opened().ipv6);
    await opened().heldBy(first);
    await reaches(opened(), vip);
    // A keepalived that answers has asked for the client first, from the interface below and in the VIP's name.
    if (first.daemon === 'vipkeeper') assert.is(neighbour(opened(), vip), mac);
    // From now on the client believes it for ever: the other director must answer to the same address.
    ip(client.name, `neighbour replace ${vip} lladdr ${mac} dev lan nud permanent`);
    await first.stop();
    await opened().heldBy(second);
    await reaches(opened(), vip);
    ip(client.name, `neighbour del ${vip} dev lan`);
    await second.stop();
  });
}

const reaches = (segment: Segment, vip: string): Promise<void> =>
  segment.until(`the client reaches ${vip}`, () => segment.client.reaches(vip));

const neighbour = ({ client }: Segment, vip: string): string | undefined =>
  /lladdr (\S+)/.exec(run(['ip', '-n', client.name, 'neighbour', 'show', vip]))?.[1];

/** What tshark says of the addresses that frames came from. */
function fromVirtualMac(test: Test, opened: Opened): void {
  test('every advert and every answer for a virtual address came from the virtual MAC address', async () => {
    const { capture, ipv6, addresses, first, second } = opened();
    await capture.stop();
    const mac = virtualMac(ipv6);
    const theirs = first.daemon === 'keepalived' ? first : second;
    assert.equal([...new Set(capture.fields('vrrp', 'eth.src').flat())], [mac]);
    for (const vip of addresses) {
      const told = ipv6
        ? `icmpv6.type == 136 && icmpv6.nd.na.target_address == ${vip}`
        : `arp.src.proto_ipv4 == ${vip}`;
      const field = ipv6 ? 'icmpv6.opt.linkaddr' : 'arp.src.hw_mac';
      const rows = capture.fields(`${told} && eth.src != ${theirs.ownMac}`, 'eth.src', field);
      assert.ok(rows.length > 0, `somebody told of ${vip}`);
      assert.equal([...new Set(rows.flat())], [mac]);
    }
  });

  test('no report of memberships came from it: a switch would look for it at a backup', () => {
    const { capture, ipv6 } = opened();
    const mac = virtualMac(ipv6);
    const reports = ipv6 ? 'icmpv6.type == 143 || icmpv6.type == 133' : 'igmp';
    assert.is(capture.count(`(${reports}) && eth.src == ${mac}`), 0);
    const group = ipv6 ? 'icmpv6.mldr.mar.multicast_address == ff02::12' : 'igmp.maddr == 224.0.0.18';
    assert.ok(capture.count(group) > 0, 'the group was reported, from the interface below');
  });
}

/** With `vmac_xmit_base`: what tshark says of adverts and of announcements. */
export function fromBelow(test: Test, opened: Opened): void {
  test('adverts came from the interfaces below, announcements from the virtual MAC address', async () => {
    const { capture, ipv6, first, second } = opened();
    await capture.stop();
    for (const { source, ownMac } of [first, second]) {
      const rows = capture.fields(`vrrp && ${ipv6 ? 'ipv6' : 'ip'}.src == ${source}`, 'eth.src');
      assert.equal([...new Set(rows.flat())], [ownMac]);
    }
    const announced = ipv6 ? 'icmpv6.nd.na.flag.s == 0' : 'arp.isgratuitous';
    assert.equal([...new Set(capture.fields(announced, 'eth.src').flat())], [virtualMac(ipv6)]);
  });
}

/** What a director leaves on its host. */
function leavesNothing(test: Test, opened: Opened): void {
  test('our director leaves no interface, no rule and no changed setting', () => {
    const { first, second } = opened();
    const ours = first.daemon === 'vipkeeper' ? first : second;
    assert.not.match(ours.host.run('ip', '-br', 'link'), 'vrrp');
    assert.is(ours.host.run('nft', 'list', 'ruleset').trim(), '');
    for (const name of ['arp_ignore', 'arp_filter', 'arp_announce']) {
      assert.is(ours.host.run('cat', `/proc/sys/net/ipv4/conf/lan/${name}`).trim(), '0', name);
    }
  });
}

export const WITH_VMACS: readonly Part[] = [elections, sameAddress, leavesNothing, fromVirtualMac];
