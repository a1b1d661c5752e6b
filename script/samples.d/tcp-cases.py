"""TCP connections in odd situations: tcp-cases.py server PORT, or tcp-cases.py CASE HOST PORT.

The server greets, then does what the client's first line says: 'echo', 'slow' (reads nothing for
a while), 'bye' (closes when the client says so).
"""
import socket
import struct
import sys
import threading
import time

TCP = socket.IPPROTO_TCP


def serve_one(conn):
    with conn:
        line = conn.recv(5)
        if line == b"slow\n":
            time.sleep(1.5)
        elif line == b"bye\n":
            conn.sendall(b"ok")
            time.sleep(max(0, float(int(time.time()) + 1) - time.time()))
            return
        try:
            while (data := conn.recv(4096)):
                conn.sendall(data[:64])
        except OSError:
            pass


def server(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.setsockopt(TCP, socket.TCP_FASTOPEN, 16)
    listener.bind(("", port))
    listener.listen(256)
    while True:
        threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()


def connect(to, **options):
    sock = socket.socket()
    sock.settimeout(5)
    if "mss" in options:
        sock.setsockopt(TCP, socket.TCP_MAXSEG, options["mss"])
    if "port" in options:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", options["port"]))
    sock.connect(to)
    return sock


def keepalive(to):
    sock = connect(to)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(TCP, socket.TCP_KEEPIDLE, 1)
    sock.setsockopt(TCP, socket.TCP_KEEPINTVL, 1)
    sock.sendall(b"echo\nhello")
    time.sleep(3.5)
    sock.sendall(b"still here")
    sock.recv(100)


def zero_window(to):
    sock = connect(to)
    sock.sendall(b"slow\n")
    sock.sendall(b"0123456789abcdef" * 1500)
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(4096):
        pass


def urgent(to):
    sock = connect(to)
    sock.sendall(b"echo\nbefore")
    sock.send(b"!", socket.MSG_OOB)
    time.sleep(0.1)
    sock.sendall(b"after")
    time.sleep(0.2)


def small_segments(to):
    sock = connect(to, mss=88)
    sock.sendall(b"echo\n" + b"x" * 3000)
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(4096):
        pass


def fast_open(to):
    sock = socket.socket()
    sock.sendto(b"echo\nfirst data", socket.MSG_FASTOPEN, to)
    sock.settimeout(1)
    sock.recv(100)
    sock.close()


def many(to):
    socks = [connect(to) for unused in range(120)]
    for i, sock in enumerate(socks):
        sock.sendall(b"echo\nconnection %d" % i)
    for sock in socks:
        sock.recv(100)
        sock.close()


def reuse(to):
    for i in range(3):
        sock = connect(to, port=45000)
        sock.sendall(b"echo\nround %d" % i)
        sock.recv(100)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        time.sleep(0.1)


def close_both(to):
    """Server and client close at the same full second: one of several tries crosses."""
    for unused in range(3):
        sock = connect(to)
        sock.sendall(b"bye\n")
        sock.recv(2)
        time.sleep(max(0, float(int(time.time()) + 1) - time.time()))
        sock.close()


def main(args):
    if args[0] == "server":
        server(int(args[1]))
    else:
        globals()[args[0].replace("-", "_")]((args[1], int(args[2])))


main(sys.argv[1:])
