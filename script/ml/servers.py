"""Small services of the laboratory that Debian has no handy program for: time (RFC 5905), a database-like protocol on
3306, a mail-like one on 25, an FTP-like log-in on 21."""
import random
import socketserver
import struct
import sys
import threading
import time

chance = random.Random(int(sys.argv[1]))


class Clock(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        now = int((time.time() + 2208988800) * 2 ** 32)
        sock.sendto(struct.pack("!BBbb11I", 0x24, 2, 6, -20, 0, 0, 0, *(
            word for t in (now, int.from_bytes(data[40:48], "big"), now, now) for word in (t >> 32, t & 0xffffffff))),
            self.client_address)


class Database(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"\x0a8.0.30-lab" + bytes(60))
        while True:
            head = self.rfile.read(4)
            if len(head) < 4:
                return
            self.rfile.read(int.from_bytes(head, "little"))
            self.wfile.write(bytes(chance.randrange(20, 4000)))


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 lab ready\r\n")
        for line in self.rfile:
            word = line[:4].upper().strip()
            if word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            time.sleep(0.02)
            self.wfile.write(b"331 password, please\r\n" if word == b"USER" else
                             b"530 wrong\r\n" if word == b"PASS" else b"354 go on\r\n" if word == b"DATA" else
                             b"" if len(line) > 60 else b"250 fine\r\n")


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer.request_queue_size = 256
for server in (socketserver.ThreadingUDPServer(("", 123), Clock), socketserver.ThreadingTCPServer(("", 3306), Database),
               socketserver.ThreadingTCPServer(("", 25), Lines), socketserver.ThreadingTCPServer(("", 21), Lines)):
    threading.Thread(target=server.serve_forever, daemon=True).start()
while True:
    time.sleep(60)
