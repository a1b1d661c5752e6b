"""A small web proxy: CONNECT and absolute URIs, IPv4, one thread a connection."""
import select
import socket
import socketserver
import sys
import urllib.parse


def pump(a, b):
    while True:
        for side in select.select([a, b], [], [], 5)[0]:
            data = side.recv(65536)
            if not data:
                return
            (b if side is a else a).sendall(data)


class Proxy(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode("latin-1")
        headers = []
        while (header := self.rfile.readline()) not in (b"\r\n", b""):
            headers.append(header)
        method, target, version = line.split()
        if method == "CONNECT":
            host, port = target.rsplit(":", 1)
            if port not in ("443", "8443"):
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            other = socket.create_connection((host, int(port)))
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            url = urllib.parse.urlsplit(target)
            other = socket.create_connection((url.hostname, url.port or 80))
            head = f"{method} {url.path or '/'} {version}\r\n".encode()
            other.sendall(head + b"".join(headers) + b"Connection: close\r\n\r\n")
        with other:
            pump(self.connection, other)


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.daemon_threads = True
    socketserver.ThreadingTCPServer(("", int(sys.argv[1])), Proxy).serve_forever()
