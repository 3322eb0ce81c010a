"""Where the stream of a client begins: what files held before the server, the end of a log, and the place
of a client that has received no event yet."""
from urllib.parse import quote

import pytest

from cli.test_serve_publish import post

COUNT = 50_000


@pytest.fixture
def log(tmp_path):
    """More events than the history of 10,000 takes, with IDs of their own."""
    path = tmp_path / "log"
    path.write_text("".join(f"data: {i}\nid: {i}\n\n" for i in range(1, COUNT + 1)))
    return path


def data(events):
    return [int(e.data) for e in events]


@pytest.mark.parametrize("last, count", [(COUNT - 3, 3), (COUNT // 2, COUNT // 2), (COUNT, 0)])
@pytest.mark.parametrize("follow", [[], ["-f"]], ids=["read", "followed"])
def test_a_client_that_resumes_at_once_goes_on_in_a_file(sse, wire, log, follow, last, count):
    """It is there before the file has been read, and its event is far beyond the history."""
    server = sse.serve("--input", "sse", *follow, log)
    answer = wire.get(server.url, headers={"Last-Event-ID": str(last)})
    assert answer.header("sse-gap") is None
    assert data(answer.events(count)) == list(range(last + 1, COUNT + 1))
    if follow:
        with open(log, "a") as file:
            file.write("data: 0\n\n")
        assert data(answer.events(count + 1))[-1] == 0
        assert not any("gap" in comment for comment in answer.stream.comments)
    else:
        assert server.wait() == 0


def test_an_id_that_a_file_does_not_hold_is_a_gap(sse, wire, log):
    answer = wire.get(sse.serve("--input", "sse", "-f", log).url, headers={"Last-Event-ID": "none"})
    assert data(answer.events(10_000)) == list(range(COUNT - 9_999, COUNT + 1))
    assert [c for c in answer.stream.comments if "gap" in c] and answer.stream.retry is None


@pytest.mark.parametrize("follow", [[], ["-f"]], ids=["read", "followed"])
def test_the_first_client_without_an_id_gets_the_whole_file(sse, wire, log, follow):
    answer = wire.get(sse.serve("--input", "sse", *follow, log).url)
    assert data(answer.events(COUNT)) == list(range(1, COUNT + 1))


@pytest.mark.parametrize("how, loops", [("read", 1), ("followed", 2), ("stdin", 1)])
def test_an_id_that_the_history_no_longer_holds_is_read_again(sse, wire, tmp_path, how, loops):
    """S28: the client comes after the file was read to its end, and its event was evicted."""
    log, count = tmp_path / "log", 3000
    log.write_text("".join(f"data: {i}\nid: {i}\n\n" for i in range(1, count + 1)))
    options = ["--input", "sse", "--on-eof", "hold", "--history", "100", "--threads", loops]
    if how == "stdin":
        server = sse.serve(*options, stdin=log.open())
    else:
        server = sse.serve(*options, *(["-f"] if how == "followed" else []), log)
    wire.get(server.url).events(count)
    for last in (1, count - 101, count - 100):
        answer = wire.get(server.url, headers={"Last-Event-ID": str(last)})
        assert answer.header("sse-gap") is None
        assert data(answer.events(count - last)) == list(range(last + 1, count + 1))
        if how == "followed":
            count += 1
            with open(log, "a") as file:
                file.write(f"data: {count}\nid: {count}\n\n")
            assert data(answer.events(count - last))[-1] == count
        assert not any("gap" in comment for comment in answer.stream.comments)
        answer.close()
    answer = wire.get(server.url, headers={"Last-Event-ID": "none"})  # the file does not hold it
    assert data(answer.events(1))[0] == count - 99
    assert any("gap" in comment for comment in answer.stream.comments)


def test_events_without_an_id_are_read_again(sse, wire, tmp_path):
    """Some have none between those that do, and behind the last; each is sent once."""
    log, count = tmp_path / "log", 2000
    log.write_text("".join(f"data: {i}\n" + (f"id: {i}\n\n" if i % 3 == 1 else "\n") for i in range(count))
                   + ":a comment\n\n" + "data: -1\n\n" * 5)
    server = sse.serve("--input", "sse", "--on-eof", "hold", "--history", "100", log)
    wire.get(server.url).events(count + 5)
    answer = wire.get(server.url, headers={"Last-Event-ID": "1"})
    assert data(answer.events(count + 3)) == [*range(2, count), *[-1] * 5]
    assert not any("gap" in comment for comment in answer.stream.comments)


def test_a_client_that_reads_again_slowly_misses_nothing(sse, wire, tmp_path):
    """The history goes on while it waits, beyond the place at which the file ended for it."""
    log, count, text = tmp_path / "log", 100, "x" * 25_000
    log.write_text("".join(f"event: {text}\ndata: {i}\nid: {i}\n\n" for i in range(count)))
    server = sse.serve("--input", "sse", "-f", "--history", "20", log)
    first = wire.get(server.url)
    first.events(count)
    slow = wire.get(server.url, headers={"Last-Event-ID": "0"})  # more than waits for it in sockets and server
    with open(log, "a") as file:
        file.write("".join(f"data: {i}\nid: {i}\n\n" for i in range(count, 2 * count)))
    first.events(2 * count)
    assert data(slow.events(2 * count - 1)) == list(range(1, 2 * count))
    assert not any("gap" in comment for comment in slow.stream.comments)


def test_clients_beyond_those_that_read_again_are_told_of_the_gap(sse, wire, tmp_path):
    """A stranger who makes up IDs starts at most four readings at once."""
    log, count = tmp_path / "log", 1000
    log.write_text("".join(f":{'x' * 3000}\ndata: {i}\nid: {i}\n\n" for i in range(1, count + 1)))
    server = sse.serve("--input", "sse", "-f", "--history", "100", log)
    wire.get(server.url).events(count)
    waiting = [wire.get(server.url, headers={"Last-Event-ID": "1"}) for _ in range(4)]  # they do not read
    answer = wire.get(server.url, headers={"Last-Event-ID": "1"})
    assert data(answer.events(1))[0] == count - 49  # comments have places in the history, too
    assert any("gap" in comment for comment in answer.stream.comments)
    answer.close()
    waiting.pop().close()  # another client may have its place
    for one in waiting:
        assert data(one.events(count - 1)) == list(range(2, count + 1))


@pytest.mark.parametrize("start, first", [("new", COUNT + 1), ("2", COUNT - 1)])
def test_new_is_now(sse, wire, log, start, first):
    server = sse.serve("--input", "sse", "-f", "--start", start, log)
    answer = wire.get(server.url)
    answer.events(max(0, COUNT + 1 - first))
    with open(log, "a") as file:
        file.write(f"data: {COUNT + 1}\nid: {COUNT + 1}\n\n")
    assert data(answer.events(COUNT + 2 - first)) == list(range(first, COUNT + 2))


@pytest.mark.parametrize("format, end", [("sse", "\n\n"), ("json", "\n"), ("lines", "\n"), ("blocks", "\r\n\r\n"),
                                         ("nul", "\0")])
def test_a_long_log_is_entered_near_its_end(sse, wire, tmp_path, format, end):
    """S1: what no client can be sent is not read, so that a log of many GB is served at once."""
    log, count = tmp_path / "log", 2000
    form = {"sse": "data: {0}\nid: {0}", "json": '{{"data":"{0}","id":"{0}"}}'}.get(format, "{0}")
    log.write_bytes("".join(form.format(i) + end for i in range(1, count + 1)).encode())
    server = sse.serve("--input", format, "-f", "--start", "3", "--history-bytes", "2000", log)
    server.stderr.wait_for(rf"^sse: note: {log} is entered near its end, at byte \d+$")
    answer = wire.get(server.url)
    assert data(answer.events(3)) == [count - 2, count - 1, count]
    with open(log, "ab") as file:
        file.write((form.format(0) + end).encode())
    assert data(answer.events(4))[-1] == 0
    if format in ("sse", "json"):
        answer = wire.get(server.url, headers={"Last-Event-ID": "7"})  # before the place where it was entered
        assert data(answer.events(count - 6)) == [*range(8, count + 1), 0]


@pytest.mark.parametrize("before", [0, 3])
def test_a_client_that_is_cut_before_its_first_event_misses_none(sse, wire, before):
    server = sse.serve("--publish", "--start", "new")
    for i in range(before):
        assert post(wire, server.url, b"old").status == 201
    answer = wire.get(server.url)
    while not answer.stream.last_event_id:
        answer.stream.feed(answer.more())
    last_id = answer.stream.last_event_id
    assert answer.stream.events == []
    answer.close()
    post(wire, server.url, b"meanwhile")
    answer = wire.get(server.url, headers={"Last-Event-ID": last_id})
    assert [e.data for e in answer.events(1)] == ["meanwhile"] and answer.header("sse-gap") is None


def test_the_head_of_an_idle_stream_does_not_come_alone(sse, wire):
    """Some proxies send it on with the first bytes behind it."""
    answer = wire.get(sse.serve("--publish").url)
    assert answer.comment() == ""


def test_a_client_resumes_several_channels(sse, wire):
    server = sse.serve("--publish", "--channels", "--history", "100")
    names = ("a", "b/c", "\u00e9")
    query = "?channel=a&channel=b/c&channel=%C3%A9"
    seen, last_id = [], None
    for i in range(10):  # each time the client is cut, the channels get events, and it comes back
        answer = wire.get(server.url + query, headers={"Last-Event-ID": last_id} if last_id else {})
        assert answer.header("sse-gap") is None
        for name in names:
            wire.request(server.url + quote(name), "POST", body=f"{name} {i}".encode())
        seen += [e.data for e in answer.events(len(names) * (2 if i else 1))]
        last_id = answer.stream.last_event_id
        answer.close()
        for name in names:
            wire.request(server.url + quote(name), "POST", body=f"{name} {i} later".encode())
    answer = wire.get(server.url + query, headers={"Last-Event-ID": last_id})
    seen += [e.data for e in answer.events(len(names))]
    assert sorted(seen) == sorted(f"{name} {i}{late}" for name in names for i in range(10) for late in ("", " later"))


def test_a_keepalive_may_be_an_event(sse, wire):
    answer = wire.get(sse.serve("--publish", "--keepalive", "10ms", "--keepalive-event", "ping").url)
    assert [(e.event, e.data) for e in answer.events(2)] == [("ping", "")] * 2


@pytest.mark.parametrize("type", ["application/json", "application/x-unknown"])
def test_the_body_of_a_webhook_is_its_data(sse, wire, type):
    server = sse.serve("--publish", "--publish-as", "data")
    assert post(wire, server.url, b'{"a":\n1}', type).status == 201
    assert wire.get(server.url).events(1)[0].data == '{"a":\n1}'
