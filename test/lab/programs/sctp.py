"""SCTP for a scene, which Node does not speak: `serve NAME ADDRESS PORT` greets with its name and echoes; `call ADDRESS
PORT FROM TEXT...` prints the greeting and what comes back for each text. Both bind one address, so that the handshake
offers no other path around the director."""

import socket
import sys

SCTP = 132


def endpoint(address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    return sock


def serve(name, address, port):
    listener = endpoint((address, int(port)))
    listener.listen(8)
    print(f"{name} listens", flush=True)
    while True:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(name.encode())
            while data := peer.recv(4096):
                peer.sendall(data)


def call(address, port, source, *texts):
    with endpoint((source, 0)) as sock:
        sock.settimeout(15)
        sock.connect((address, int(port)))
        print(sock.recv(4096).decode())
        for text in texts:
            sock.sendall(text.encode())
            print(sock.recv(4096).decode())


{"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
