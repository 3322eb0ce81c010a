"""sse serve --publish and --channels: bodies become events, or nothing of them does."""
import json
import threading
from pathlib import Path

import pytest
from support.deadline import HANG, poll


@pytest.fixture
def server(sse):
    return sse.serve("--publish")


def post(wire, url, body, content_type=None, **parts):
    headers = [("Content-Type", content_type)] if content_type else []
    return wire.request(url, "POST", headers=headers + list(parts.pop("headers", [])),
                        body=body, **parts)


BODIES = [
    # (content type, body, events that a reader gets)
    (None, b"hello", [("message", "hello")]),
    ("text/plain; charset=utf-8", b"two\nlines", [("message", "two\nlines")]),
    ("text/plain; format=flowed; charset=\"US-ASCII\"", b"a", [("message", "a")]),
    ("text/plain", b"", [("message", "")]),
    ("application/x-www-form-urlencoded", b"a=1&b=2", [("message", "a=1&b=2")]),
    ("application/json", b'{"data":"x"}', [("message", "x")]),
    ("application/json", b'{\n "event": "e",\n "data": {"n": 1.10, "big": 12345678901234567890123}}',
     [("e", '{"n":1.10,"big":12345678901234567890123}')]),
    ("APPLICATION/JSON", b'{"event":"","data":null}', [("message", "null")]),
    ("text/event-stream", b"data: 1\n\nevent: b\r\ndata: 2\r\n\r\n", [("message", "1"), ("b", "2")]),
]


@pytest.mark.parametrize("content_type, body, events", BODIES)
def test_a_body_becomes_events_and_201_names_their_ids(server, wire, content_type, body, events):
    reader = wire.get(server.url)
    answer = post(wire, server.url, body, content_type)
    assert answer.status == 201
    got = reader.events(len(events))
    assert [(e.event, e.data) for e in got] == events
    assert answer.read_all().decode().split() == [e.id for e in got]


@pytest.mark.parametrize("content_type, body, status, word", [
    ("application/json", b'{"data":', 400, "JSON"),
    ("application/json", b"[1]", 400, "not a JSON object"),
    ("application/json", b"{}", 400, "neither data"),
    ("application/json", b'{"data":"x","id":"a\\nb"}', 400, "id contains LF"),
    ("application/json", b'{"data":"x","event":"a\\rdata: y"}', 400, "event type contains CR"),
    ("application/json", b'{"data":"x","id":"a\\u0000"}', 400, "id contains NUL"),
    ("text/event-stream", b"data: whole\n\ndata: torn", 400, "event 2"),
    ("text/event-stream", b"", 400, "no event"),
    ("image/png", b"x", 415, "text/plain"),
    ("text/plain; charset=iso-8859-1", b"caf\xe9", 415, "not iso-8859-1"),
    ("application/json; charset=\"UTF-16\"", b'{"data":"x"}', 415, "not UTF-16"),
    ("text/event-stream;charset=latin1", b"data: x\n\n", 415, "charset utf-8 or us-ascii"),
])
def test_a_body_that_cannot_be_published_is_refused_whole(server, wire, content_type, body, status, word):
    reader = wire.get(server.url)
    answer = post(wire, server.url, body, content_type)
    assert answer.status == status and word in answer.read_all().decode()
    assert post(wire, server.url, b"after").status == 201
    assert [e.data for e in reader.events(1)] == ["after"]


def test_an_id_of_the_publisher_is_kept_and_resumed_after(server, wire):
    for n in (1, 2, 3):
        body = json.dumps({"id": f"n{n}", "data": n}).encode()
        assert post(wire, server.url, body, "application/json").read_all() == b"n%d\n" % n
    resumed = wire.get(server.url, headers=[("Last-Event-ID", "n2")])
    assert [(e.id, e.data) for e in resumed.events(1)] == [("n3", "3")]


def test_chunked_bodies_and_expect_100_continue(server, wire):
    reader = wire.get(server.url)
    sock = wire.send(server.url, b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                                 b"Expect: 100-continue\r\n\r\n")
    sock.settimeout(HANG)
    assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    sock.sendall(b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n")
    assert [e.data for e in reader.events(1)] == ["hello"]
    assert sock.recv(1000).startswith(b"HTTP/1.1 201 ")


def test_one_connection_publishes_many_also_without_waiting_for_answers(server, wire):
    reader = wire.get(server.url)
    one = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n%05d"
    sock = wire.connect(server.url)
    threading.Thread(target=sock.sendall, args=(b"".join(one % n for n in range(2000)),)).start()
    assert [e.data for e in reader.events(2000)] == ["%05d" % n for n in range(2000)]
    answers = b""
    sock.settimeout(HANG)
    while answers.count(b"HTTP/1.1 201 Created") < 2000:
        piece = sock.recv(1 << 20)
        assert piece
        answers += piece


@pytest.mark.release
@pytest.mark.parametrize("threads", [1, 2])
def test_a_few_connections_publish_thousands(sse, sse_bin, wire, threads):
    program = Path(sse_bin).parent / "tests" / "sse_publishers"
    if not program.exists():
        pytest.skip("sse_publishers is not built beside sse")
    server = sse.serve("--publish", "--threads", threads)
    reader = wire.get(server.url)
    port = server.url.rstrip("/").rsplit(":", 1)[1]
    publishers = sse.start_program(program, port, "4", "4000", "16")
    events = reader.events(4000)
    assert publishers.wait() == 0, publishers.stderr.text()
    assert json.loads(publishers.stdout.bytes)["created"] == 4000
    assert {e.data for e in events} == {"x" * 200} and len({e.id for e in events}) == 4000


def test_a_full_history_refuses_with_503_and_loses_nothing(sse, wire):
    server = sse.serve("--publish", "--history", "4")
    body = b"x" * 500_000  # of which a few are on their way before the history is asked
    statuses = [post(wire, server.url, body).status for _ in range(12)]
    assert statuses[0] == 201 and statuses[-1] == 503
    reader = wire.get(server.url)
    assert len(reader.events(statuses.count(201))) == statuses.count(201)


def test_without_publish_a_post_is_405_and_get_still_there(sse, wire):
    server = sse.serve(input=b"")
    answer = post(wire, server.url, b"x")
    assert answer.status == 405 and "POST" not in answer.header("Allow")


def test_every_path_is_a_channel_of_its_own(sse, wire):
    server = sse.serve("--publish", "--channels", "--max-channels", "2")
    a, b = wire.get(server.url + "a"), wire.get(server.url + "b%20c")
    post(wire, server.url + "a", b"for a")
    post(wire, server.url + "b%20c", b"for b")
    assert [e.data for e in a.events(1)] == ["for a"]
    assert [e.data for e in b.events(1)] == ["for b"]
    third = wire.get(server.url + "c")
    assert third.status == 503 and third.header("Retry-After")


def test_names_that_somebody_only_asked_for_keep_no_publisher_out(sse, wire):
    server = sse.serve("--publish", "--channels", "--max-channels", "5")
    assert post(wire, server.url + "kept", b"x").status == 201
    for n in range(50):
        wire.get(f"{server.url}nothing{n}").close()
    poll("room for a publisher", lambda: post(wire, server.url + "new", b"y").status == 201)
    assert [e.data for e in wire.get(server.url + "kept").events(1)] == ["x"]
    # A connection that was closed keeps its channel until the server has seen it close.
    poll("room for a reader", lambda: wire.get(server.url + "reader0").status == 200)
    readers = [wire.get(f"{server.url}reader{n}") for n in range(3)]
    assert [r.status for r in readers] == [200] * 3
    for n in range(3):  # a reader of a channel without events takes no place from a publisher
        assert post(wire, f"{server.url}more{n}", b"z").status == 201
    assert post(wire, server.url + "one-too-many", b"z").status == 503


def test_an_idle_channel_is_forgotten_and_one_with_readers_is_not(sse, wire):
    server = sse.serve("--publish", "--channels", "--max-channels", "2", "--channel-idle", "10ms")
    reader = wire.get(server.url + "kept")
    post(wire, server.url + "idle", b"x")
    poll("room for another", lambda: post(wire, server.url + "new", b"x").status == 201)
    poll("room for the one with a reader", lambda: post(wire, server.url + "kept", b"still here").status == 201)
    assert [e.data for e in reader.events(1)] == ["still here"]


def test_json_input_names_its_channel(sse, wire):
    lines = b'{"data":1,"channel":"a"}\n{"data":2}\n{"data":3,"channel":"/b"}\n'
    server = sse.serve("--input", "json", "--channels", "--on-eof", "hold", input=lines)
    assert [wire.get(server.url + path).events(1)[0].data for path in ("a", "", "b")] == ["1", "2", "3"]


def test_a_channel_named_without_channels_is_told(sse, wire):
    server = sse.serve("--input", "json", input=b'{"data":1,"channel":"a"}\n{"data":2}\n')
    assert [e.data for e in wire.get(server.url).events()] == ["2"]
    server.stderr.wait_for(r"^sse: warning: skipped line 1 of standard input: .*--channels$")


@pytest.mark.parametrize("coding, status", [("gzip", 415), ("br", 415), ("identity", 201)])
def test_a_body_in_a_content_coding_is_refused_and_not_published_as_it_is(server, wire, coding, status):
    answer = wire.request(server.url, "POST", headers={"Content-Encoding": coding}, body=b"x")
    assert answer.status == status


NOTE = "sse: note: standard input is not read with --publish; add - to serve it as well"


@pytest.mark.parametrize("args, said", [([], True), (["-"], False)])
def test_a_pipe_that_is_not_read_is_said_to_be(sse, args, said):
    assert (NOTE in sse.serve("--publish", *args).stderr.text()) == said


def test_no_input_is_not_talked_about(sse):
    with open("/dev/null", "rb") as nothing:
        assert NOTE not in sse.serve("--publish", stdin=nothing).stderr.text()
