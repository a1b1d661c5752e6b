"""A client of the API over the Unix socket, where whoever runs the test is known by his credentials."""
import json

from libtest import Local, wait_for


def get(sock, path):
    """Status and body, decoded where it is JSON; (0, why) where nobody answers."""
    c = Local(sock)
    try:
        c.request("GET", path)
        r = c.getresponse()
        raw = r.read().decode("utf-8")
        return r.status, json.loads(raw) if r.getheader("Content-Type", "").startswith("application/json") else raw
    except OSError as error:
        return 0, str(error)
    finally:
        c.close()


def wait(sock, seconds=20):
    """Until the server answers."""
    return wait_for(lambda: get(sock, "/healthz")[0] == 200, seconds)
