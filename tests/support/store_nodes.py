"""Servers that share a store, as the tests see them: what they answer, and what is in Redis."""
import re

from support.deadline import poll


def ready(wire, server):
    answer = wire.get(server.admin + "readyz")
    text = answer.read_all().decode()
    answer.close()
    return answer.status, text


def wait_ready(wire, server, status=200):
    poll(f"/readyz {status}", lambda: ready(wire, server)[0] == status)


def metric(wire, server, name):
    answer = wire.get(server.admin + "metrics")
    text = answer.read_all().decode()
    answer.close()
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1])


def post(wire, server, body, path="", content_type=None, key=None):
    headers = [("Content-Type", content_type)] if content_type else []
    headers += [("Idempotency-Key", key)] if key else []
    answer = wire.request(server.url + path, "POST", headers=headers, body=body.encode())
    answer.read_all()
    answer.close()
    return answer


def published(answer):
    assert answer.status == 201, (answer.status, answer.body)
    return answer.body.decode().split()


def data(events):
    return [e.data for e in events]


def entries(redis):
    """The ids of all events in Redis."""
    out = []
    for last, fields in redis("XRANGE", next(k for k in redis("KEYS", "sse:*:s")), "-", "+"):
        ms, n = map(int, last.split(b"-"))
        count = int(fields[1].split()[1])
        out += [f"{ms}-{n - count + 1 + i}" for i in range(count)]
    return out


def order(event_id):
    return tuple(map(int, event_id.split("-")))
