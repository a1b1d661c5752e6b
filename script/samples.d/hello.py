"""Prints a real ClientHello for a server name, a piece of N bytes a line, for talk.py.

hello.py NAME N
"""
import ssl
import sys

incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
context = ssl.create_default_context()
client = context.wrap_bio(incoming, outgoing, server_hostname=sys.argv[1])
try:
    client.do_handshake()
except ssl.SSLWantReadError:
    pass
hello, size = outgoing.read(), int(sys.argv[2])
for start in range(0, len(hello), size):
    print("".join(f"\\x{byte:02x}" for byte in hello[start:start + size]))
