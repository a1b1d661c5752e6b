"""Sends bytes over one TCP connection in pieces of our choosing and reads what comes back.

talk.py [--bind ADDRESS] [--reset] HOST PORT PIECE...
A PIECE is text with Python escapes ('GET / HTTP/1.1\\r\\n'), @FILE for a file's bytes,
~N to wait N seconds, ? to wait for an answer, < to close our side.
"""
import socket
import struct
import sys
import time


def main(args):
    bind, reset = None, False
    while args[0].startswith("--"):
        option = args.pop(0)
        if option == "--bind":
            bind = (args.pop(0), 0)
        elif option == "--reset":
            reset = True
    host, port = args.pop(0), int(args.pop(0))
    sock = socket.create_connection((host, port), 5, bind)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in args:
        if piece.startswith("~"):
            time.sleep(float(piece[1:]))
        elif piece == "?":
            sock.recv(65536)
        elif piece == "<":
            sock.shutdown(socket.SHUT_WR)
        elif piece.startswith("@"):
            sock.sendall(open(piece[1:], "rb").read())
        else:
            sock.sendall(piece.encode("latin-1").decode("unicode_escape").encode("latin-1"))
            time.sleep(0.02)
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        sock.settimeout(1)
        try:
            while sock.recv(65536):
                pass
        except OSError:
            pass
    sock.close()


main(sys.argv[1:])
