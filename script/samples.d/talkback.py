"""Says fixed texts over TCP: talkback.py PORT [--first] TEXT...

Each line or block that comes in is answered with the next TEXT (Python escapes); with --first
the first TEXT is a greeting. After the last one the connection is closed.
"""
import socketserver
import sys


class Talkback(socketserver.BaseRequestHandler):
    def handle(self):
        texts = list(TEXTS)
        if GREETS:
            self.request.sendall(texts.pop(0))
        for text in texts:
            if not self.request.recv(65536):
                return
            self.request.sendall(text)


if __name__ == "__main__":
    port, args = int(sys.argv[1]), sys.argv[2:]
    GREETS = args[:1] == ["--first"]
    TEXTS = [a.encode("latin-1").decode("unicode_escape").encode("latin-1") for a in args[GREETS:]]
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.daemon_threads = True
    socketserver.ThreadingTCPServer(("", port), Talkback).serve_forever()
