"""A web application with the usual holes, for captures of attacks against our own server.

Nothing of the host can be reached through it: files come from a table, commands are never run
(the shell's answers come from a table), the database is in memory.
"""
import http.server
import re
import socketserver
import sqlite3
import sys
import urllib.parse

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nwww:x:33:33:www:/var/www:/usr/sbin/nologin\n",
    "etc/shadow": "root:!:19000:0:99999:7:::\n",
    "var/www/hello.txt": "hello\n",
}
COMMANDS = {
    "id": "uid=0(root) gid=0(root) groups=0(root)\n",
    "whoami": "root\n",
    "cat /etc/passwd": FILES["etc/passwd"],
    "uname -a": "Linux victim 6.1.0 #1 SMP x86_64 GNU/Linux\n",
}
DB = sqlite3.connect(":memory:", check_same_thread=False)
DB.executescript(
    "create table item(id, name); insert into item values(1,'lamp'),(2,'chair');"
    "create table user(name, password); insert into user values('admin','s3cret');"
)


def shell(line):
    """What a shell would print: every part between separators, from the table."""
    parts = [part.strip() for part in re.split(r"[;|&`\n]+", line)]
    return "".join(COMMANDS.get(part, "") for part in parts)


class Victim(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SampleVictim/1.0"
    sys_version = ""

    def log_message(self, *unused):
        pass

    def reply(self, status, text, kind="text/html", headers=()):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reply_chunked(self, count):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for i in range(count):
            chunk = f"chunk {i} ".encode() * (i + 1)
            self.wfile.write(b"%x;n=%d\r\n%s\r\n" % (len(chunk), i, chunk))
        self.wfile.write(b"0\r\nX-Trailer: done\r\n\r\n")

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_HEAD(self):
        self.reply(200, "")

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        agent = self.headers.get("User-Agent", "")
        if agent.startswith("() {"):
            self.reply(200, shell(agent.split("}", 1)[1].replace("/usr/bin/", "")))
        elif url.path == "/item":
            self.item(query.get("id", "1"))
        elif url.path == "/ping":
            self.reply(200, "PING\n" + shell(query.get("host", "")))
        elif url.path == "/file":
            self.file(query.get("name", "hello.txt"))
        elif url.path == "/chunks":
            self.reply_chunked(int(query.get("n", "8")))
        elif url.path == "/login":
            self.login()
        elif ".." in urllib.parse.unquote(url.path):
            self.file(urllib.parse.unquote(url.path))
        elif url.path in ("/", "/search"):
            self.reply(200, "<p>results for " + query.get("q", "") + "</p>")
        else:
            self.reply(404, "<h1>not here</h1>")

    def do_POST(self):
        body = self.read_body().decode("latin-1")
        if self.path.endswith(".php"):
            form = dict(urllib.parse.parse_qsl(body))
            self.reply(200, shell(form.get("c", "")))
        else:
            self.reply(200, f"{len(body)} bytes\n", "text/plain")

    do_PUT = do_POST

    def do_OPTIONS(self):
        self.reply(200, "", headers=[("Allow", "GET, HEAD, POST, PUT, OPTIONS")])

    def item(self, key):
        try:
            rows = DB.execute("select name from item where id = " + key).fetchall()
            self.reply(200, "".join(f"<li>{row[0]}</li>" for row in rows))
        except sqlite3.Error as error:
            self.reply(500, f"sqlite3 error: {error}")

    def file(self, name):
        path = re.sub(r"^(\.\./|/)+", "", name)
        path = path if path != name else "var/www/" + name
        if path in FILES:
            self.reply(200, FILES[path], "text/plain")
        else:
            self.reply(404, "no such file")

    def login(self):
        if self.headers.get("Authorization") == "Basic YWRtaW46czNjcmV0":
            self.reply(200, "welcome", headers=[("Set-Cookie", "session=4711; HttpOnly")])
        else:
            self.reply(401, "no", headers=[("WWW-Authenticate", 'Basic realm="admin"')])


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256


if __name__ == "__main__":
    Server(("", int(sys.argv[1])), Victim).serve_forever()
