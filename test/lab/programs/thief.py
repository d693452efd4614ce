"""One who has no key, on the network of directors: `hear PORT` prints the payload of each UDP datagram to that port;
`say SOURCE TARGET PORT` sends each line of its input (hexadecimal) from an address that is not its own."""

import socket
import struct
import sys

# What leaves, too.
ETH_P_ALL = 3
ETH_P_IP = 0x0800


def hear(port):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    print("listens", flush=True)
    while True:
        packet, (_, protocol, *_) = sock.recvfrom(65536)
        if protocol != ETH_P_IP:
            continue
        udp = (packet[0] & 15) * 4
        if packet[9] == 17 and struct.unpack("!H", packet[udp + 2 : udp + 4])[0] == int(port):
            length = struct.unpack("!H", packet[udp + 4 : udp + 6])[0]
            print(packet[udp + 8 : udp + length].hex(), flush=True)


def say(source, target, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for line in sys.stdin:
        payload = bytes.fromhex(line.strip())
        udp = struct.pack("!HHHH", 40000, int(port), 8 + len(payload), 0) + payload
        addresses = socket.inet_aton(source) + socket.inet_aton(target)
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
        sock.sendto(header + udp, (target, 0))


{"hear": hear, "say": say}[sys.argv[1]](*sys.argv[2:])
