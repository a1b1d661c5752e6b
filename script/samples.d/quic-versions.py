"""A QUIC server that knows none of the versions it is asked for (RFC 8999 §6): it answers once with one that nobody
speaks, and the connection's ids exchanged.

quic-versions.py PORT
"""
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", int(sys.argv[1])))
packet, client = server.recvfrom(2048)
mine, rest = packet[6:6 + packet[5]], packet[6 + packet[5]:]
theirs = rest[1:1 + rest[0]]
answer = b"\xca\0\0\0\0" + bytes([len(theirs)]) + theirs + bytes([len(mine)]) + mine + bytes.fromhex("0a1a2a3a")
server.sendto(answer, client)
