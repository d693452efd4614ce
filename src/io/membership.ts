import { Writer } from '../core/bytes.ts';
import { familyOf, type Ip, ipToBytes } from '../core/ip.ts';
import { IP, IPPROTO_IP, IPPROTO_IPV6, IPV6 } from './inet.ts';
import type { Socket } from './socket.ts';

/** A socket and multicast groups, on an interface by its number. All throw SystemError. */

/** struct ip_mreqn. */
function membership4(group: Ip, ifindex: number): Uint8Array {
  return new Writer(12).bytes(ipToBytes(group)).zeros(4).i32host(ifindex).finish();
}

/** struct ipv6_mreq. */
function membership6(group: Ip, ifindex: number): Uint8Array {
  return new Writer(20).bytes(ipToBytes(group)).i32host(ifindex).finish();
}

export function joinGroup(socket: Socket, group: Ip, ifindex: number): void {
  if (familyOf(group) === 4) socket.setOption(IPPROTO_IP, IP.ADD_MEMBERSHIP, membership4(group, ifindex));
  else socket.setOption(IPPROTO_IPV6, IPV6.ADD_MEMBERSHIP, membership6(group, ifindex));
}

/** The interface that IPv4 multicast of the socket leaves by. */
export const sendMulticastBy = (socket: Socket, ifindex: number): void =>
  socket.setOption(IPPROTO_IP, IP.MULTICAST_IF, membership4('0.0.0.0' as Ip, ifindex));

export function leaveGroup(socket: Socket, group: Ip, ifindex: number): void {
  if (familyOf(group) === 4) socket.setOption(IPPROTO_IP, IP.DROP_MEMBERSHIP, membership4(group, ifindex));
  else socket.setOption(IPPROTO_IPV6, IPV6.DROP_MEMBERSHIP, membership6(group, ifindex));
}
