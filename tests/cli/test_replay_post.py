"""sse replay --post: each event as a request to a server that publishes."""
import re
import signal
import time

import pytest

from support.deadline import poll
from support.recording import HEAD, recording

LINES = ({"t": 0, "comment": " hi"}, {"t": 0.1, "id": "1", "event": "add", "data": "a\nb"}, {"t": 0.2, "retry": 5},
         {"t": 0.3, "id": "2", "data": "\u20ac"}, {"t": 0.4, "data": "c"})
BLOCKS = ["event: add\ndata: a\ndata: b\nid: 1\n\n", "data: \u20ac\nid: 2\n\n", "data: c\n\n"]


@pytest.fixture
def path(tmp_path):
    return recording(tmp_path / "r.jsonl", *LINES)


def body(connection):
    return connection.request.body.decode()


class Answers:
    """An origin that gives these statuses in turn, then 201, several on one connection. `accepted` has what it
    took, `connections` how many came."""

    def __init__(self, origin, *statuses, close=False):
        self.statuses, self.accepted, self.connections, self.close = list(statuses), [], 0, close
        self.origin = origin(self._serve)
        self.url = self.origin.url + "in?x=1"

    def _serve(self, connection):
        self.connections += 1
        while connection.request:
            status = self.statuses.pop(0) if self.statuses else "201 Created"
            if status == "drop":
                return
            if status == "reset":
                return connection.reset()
            if status.startswith("2"):
                self.accepted.append(body(connection))
            text = f"id-{len(self.accepted)}\n"
            more = "Retry-After: 0\r\n" if status.startswith("429") else ""
            end = "Connection: close\r\n" if self.close else ""
            connection.send(f"HTTP/1.1 {status}\r\n{more}{end}Content-Length: {len(text)}\r\n\r\n{text}")
            if self.close:
                return
            connection.request = connection.origin._read_request(connection.sock)


def test_events_are_posted_in_order_over_one_connection(sse, origin, path):
    there = Answers(origin)
    ran = sse.run("replay", path, "--post", there.url, "--header", "Authorization: Bearer x", "--speed", "10")
    assert (ran.status, ran.out) == (0, b"")
    assert ran.err == f"sse: note: 3 events accepted by {there.url}, retried 0 times; the last as id-3\n"
    assert (there.accepted, there.connections) == (BLOCKS, 1)


def test_what_is_asked_is_a_post_of_event_stream_text(sse, origin, path):
    requests = []

    def handler(connection):
        requests.append(connection.request)
        connection.answer("201 Created")
    sse.run("replay", path, "--post", origin(handler).url + "a/b?c", "--header", "X-Key: y", "--no-wait")
    assert [(r.method, r.target, r.header("content-type"), r.header("x-key")) for r in requests] == [
        ("POST", "/a/b?c", "text/event-stream", "y")] * 3


def test_events_leave_when_they_are_due(sse, origin, tmp_path):
    there = Answers(origin)
    path = recording(tmp_path / "r", {"t": 0, "data": "1"}, {"t": 0.5, "data": "2"}, {"t": 600, "data": "3"})
    begun = time.monotonic()
    ran = sse.start("replay", path, "--post", there.url, "--to", "1")
    assert ran.wait() == 0
    assert time.monotonic() - begun >= 0.5


@pytest.mark.parametrize("statuses", [("503 No",), ("429 Slow", "429 Slow"), ("201 Created", "500 Oops"), ("drop",),
                                      ("201 Created", "drop"), ("201 Created", "reset"), ("reset", "502 Bad")])
@pytest.mark.parametrize("close", [False, True])
def test_what_may_pass_is_tried_again_and_the_order_kept(sse, origin, path, statuses, close):
    there = Answers(origin, *statuses, close=close)
    ran = sse.run("replay", path, "--post", there.url, "--no-wait")
    assert ran.status == 0
    assert there.accepted == BLOCKS
    retries = len([s for s in statuses if not s.startswith("2")])
    assert f"3 events accepted by {there.url}, retried {retries} times" in ran.err


def test_a_refusal_ends_it_and_says_how_far_it_came(sse, origin, path):
    there = Answers(origin, "201 Created", "400 Bad Request")
    ran = sse.run("replay", path, "--post", there.url, "--no-wait")
    assert ran.status == 22
    note, error, *_ = ran.err.splitlines()
    assert note == f"sse: note: 1 event accepted by {there.url}, retried 0 times; the last as id-1"
    assert error.startswith(f"sse: error: {there.url} returned 400 Bad Request: id-1")


def test_credentials_of_the_url_are_sent_and_not_shown(sse, origin, path):
    there = Answers(origin)
    url = there.url.replace("http://", "http://me:SECRET@") + "&access_token=SECRET"
    ran = sse.run("replay", path, "--post", url, "--no-wait")
    assert ran.status == 0 and "SECRET" not in ran.err, ran.err
    assert {r.header("Authorization") for r in there.origin.requests} == {"Basic bWU6U0VDUkVU"}


def test_a_server_that_publishes_takes_them(sse, wire, path):
    server = sse.serve("--publish")
    ran = sse.run("replay", path, "--post", server.url, "--no-wait")
    assert ran.status == 0
    assert re.search(r"3 events accepted by \S+, retried 0 times; the last as \d+-\d+\n", ran.err)
    events = wire.get(server.url).events(3)
    assert [(e.event, e.data) for e in events] == [("add", "a\nb"), ("message", "\u20ac"), ("message", "c")]
    assert [e.id for e in events][:2] == ["1", "2"]


def test_events_in_recorded_reads_are_posted_too(sse, origin, tmp_path):
    there = Answers(origin)
    path = recording(tmp_path / "r", {"t": 0, "bytes": "data: a\n"}, {"t": 0, "bytes": "\ndata: b\n\ndata: half"})
    assert sse.run("replay", path, "--post", there.url).status == 0
    assert there.accepted == ["data: a\n\n", "data: b\n\n"]


def test_a_bad_line_ends_it_after_what_came_before(sse, origin, tmp_path):
    there = Answers(origin)
    path = recording(tmp_path / "r", {"t": 0, "data": "a"}, "x\n")
    ran = sse.run("replay", path, "--post", there.url)
    assert (ran.status, there.accepted) == (3, ["data: a\n\n"])
    assert f"sse: error: {path}:3: not a JSON object\n" in ran.err


def test_a_signal_ends_it_even_while_it_waits(sse, origin, tmp_path):
    there = Answers(origin)
    path = recording(tmp_path / "r", {"t": 0, "data": "a"}, {"t": 0, "data": "b"}, {"t": 600, "data": "c"})
    ran = sse.start("replay", path, "--post", there.url)
    poll("two events", lambda: len(there.accepted) == 2)
    ran.signal(15)
    assert ran.wait() == 143
    assert re.search(r"1 event accepted|2 events accepted", ran.stderr.text())


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://h:99999/"])
def test_a_url_that_is_none_is_a_usage_error(sse, path, url):
    ran = sse.run("replay", path, "--post", url)
    assert (ran.status, ran.err.startswith("sse: error: ")) == (2, True)


def test_a_loop_that_posts_nothing_ends(sse, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "comment": "only"}, {"t": 0, "retry": 9})
    ran = sse.run("replay", "--post", "http://127.0.0.1:9/", "--loop", path)
    assert ran.status == 3
    assert f"sse: error: {path}: no event would be posted, so it cannot be played in a loop" in ran.err


def test_a_signal_ends_it_while_it_waits_for_a_pipe(sse, origin):
    server = Answers(origin)
    ran = sse.start("replay", "--post", server.url, "-")
    ran.write(HEAD + '{"t":0,"data":"a"}\n' * 2)
    poll("the second event, so that the first is known to be accepted", lambda: len(server.accepted) == 2)
    ran.signal(signal.SIGTERM)
    assert ran.wait() == 143
    assert re.search(r"\b(1 event|2 events) accepted", ran.stderr.text())
