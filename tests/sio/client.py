"""python3-socketio on both transports: prints "ok what" or "not ok what". usage: client.py URL TOKEN"""
import asyncio
import sys

import socketio

URL, TOKEN = sys.argv[1:3]


def say(good, what, detail=""):
    print("%s %s%s" % ("ok" if good else "not ok", what, "" if good else " (%s)" % str(detail)[:300]), flush=True)


async def on(name, transports):
    c = socketio.AsyncClient(reconnection=False, ssl_verify=False)
    news, back, errors = [], asyncio.Queue(), asyncio.Queue()
    c.on("news", news.append, namespace="/events")
    c.on("message-back", lambda *a: back.put_nowait(a), namespace="/")
    large = b"\7" * 100000
    await c.connect(URL, auth={"token": TOKEN}, transports=transports, wait_timeout=15,
                    namespaces=["/", "/events", "/control"])
    say(c.connected and "/events" in c.namespaces, "%s: connects with a token" % name, c.namespaces)
    if len(transports) > 1:
        say(c.transport() == "websocket", "%s: goes on by WebSocket" % name, c.transport())
    got = await c.call("subscribe", {"topics": ["news"]}, namespace="/events", timeout=15)
    say(got["ok"], "%s: subscribe is acknowledged" % name, got)
    await c.call("publish", (60, 100), namespace="/control", timeout=15)
    for _ in range(300):
        if len(news) >= 60:
            break
        await asyncio.sleep(0.05)
    numbers = [e["news"]["number"] for e in news]
    say(len(numbers) == 60 and numbers == sorted(numbers), "%s: 60 events in order" % name, numbers)
    await c.emit("message", {"a": b"\1\2\3", "b": [b"", "ü"]}, namespace="/")
    got = await asyncio.wait_for(back.get(), 15)
    say(got == ({"a": b"\1\2\3", "b": [b"", "ü"]},), "%s: binary comes back" % name, got)
    got = await c.call("message-with-ack", large, namespace="/", timeout=15)
    say(got == large, "%s: %d bytes in an acknowledgement" % (name, len(large)))
    await c.disconnect()
    stranger = socketio.AsyncClient(reconnection=False, ssl_verify=False)
    stranger.on("connect_error", errors.put_nowait, namespace="/events")
    # who waits for a namespace does so to the end, refused or not
    await stranger.connect(URL, transports=transports, namespaces=["/events"], wait=False)
    got = await asyncio.wait_for(errors.get(), 15)
    say(got == {"message": "Not authenticated"} and not stranger.namespaces, "%s: a stranger is refused" % name,
        (got, stranger.namespaces))
    await stranger.disconnect()


async def main():
    await on("python, websocket", ["websocket"])
    await on("python, polling", ["polling"])
    await on("python, upgrade", ["polling", "websocket"])

asyncio.run(main())
