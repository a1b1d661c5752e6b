"""A small FTP server with one file, passive mode only: ftp.py PORT."""
import socket
import socketserver
import sys

TEXT = b"a file of the sample server\r\n" * 20


class Ftp(socketserver.StreamRequestHandler):
    data = None

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def passive(self, extended):
        self.data = socket.create_server((self.connection.getsockname()[0], 0))
        host, port = self.data.getsockname()[:2]
        if extended:
            self.say(f"229 Extended passive mode (|||{port}|)")
        else:
            self.say(f"227 Passive mode ({host.replace('.', ',')},{port >> 8},{port & 255})")

    def transfer(self, data):
        self.say("150 here it comes")
        conn = self.data.accept()[0]
        if data is None:
            while conn.recv(4096):
                pass
        else:
            conn.sendall(data)
        conn.close()
        self.say("226 done")

    def handle(self):
        self.say("220 sample FTP server")
        answers = {"USER": "331 password?", "CWD": "250 ok", "TYPE": "200 ok", "PWD": '257 "/"',
                   "SIZE": f"213 {len(TEXT)}", "SYST": "215 UNIX Type: L8"}
        user = ""
        while (line := self.rfile.readline().decode("latin-1").strip()):
            verb, unused, rest = line.partition(" ")
            verb = verb.upper()
            if verb == "USER":
                user = rest
            if verb == "PASS":
                self.say("230 welcome" if user == "anonymous" else "530 no")
            elif verb in ("PASV", "EPSV"):
                self.passive(verb == "EPSV")
            elif verb in ("RETR", "LIST", "NLST"):
                self.transfer(TEXT if verb == "RETR" else b"-rw-r--r-- 1 0 0 580 Jan 1 00:00 file\r\n")
            elif verb == "STOR":
                self.transfer(None)
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say(answers.get(verb, "502 not here"))


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.daemon_threads = True
    socketserver.ThreadingTCPServer(("", int(sys.argv[1])), Ftp).serve_forever()
