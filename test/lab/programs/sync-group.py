"""The multicast group of connection sync for a scene: `hear ADDRESS [PORT]` prints each datagram as its sender and its
bytes; `say ADDRESS HEX[,HEX...] [PORT]` sends some. ADDRESS is the own one on the link."""

import socket
import sys

GROUP = "224.0.0.81"
PORT = 8848


def hear(address, port=PORT):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((GROUP, int(port)))
    membership = socket.inet_aton(GROUP) + socket.inet_aton(address)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    print("listens", flush=True)
    while True:
        datagram, (sender, _) = sock.recvfrom(65536)
        print(sender, datagram.hex(), flush=True)


def say(address, text, port=PORT):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    for datagram in text.split(","):
        sock.sendto(bytes.fromhex(datagram), (GROUP, int(port)))


{"hear": hear, "say": say}[sys.argv[1]](*sys.argv[2:])
