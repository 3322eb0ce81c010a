"""sse replay's faults: what a client has to bear, the same each time."""
import re
import socket
import time

import pytest

from support.recording import recording
from support.wire import Cut

TEXT = "".join(f"data: line {i} \u20ac\nid: {i}\n\n" for i in range(1, 8)).encode()


@pytest.fixture
def seven(tmp_path):
    return recording(tmp_path / "r.jsonl", {"t": 0, "comment": " hi"},
                     *({"t": 0, "id": str(i), "data": f"line {i} \u20ac"} for i in range(1, 8)))


def body(answer):
    """What came, and how it ended."""
    try:
        answer.read_all()
    except ConnectionResetError:
        return answer.body, "reset"
    except Cut:
        return answer.body, "cut"
    return answer.body, "end"


def test_a_client_that_resumes_through_drops_misses_nothing(sse, wire, seven):
    server = sse.replay(seven, "--drop-every", "3", "--no-comments")
    first, how = body(wire.get(server.url))
    assert how == "cut"
    second, how = body(wire.get(server.url, headers={"Last-Event-ID": "3"}))
    assert how == "cut"
    third, how = body(wire.get(server.url, headers={"Last-Event-ID": "6"}))
    assert how == "end"
    assert first + second + third == TEXT


@pytest.mark.parametrize("size", [1, 17, 40, 10_000])
def test_cut_after_bytes_within_events(sse, wire, seven, size):
    answer = wire.get(sse.replay(seven, "--cut-after", size, "--no-comments").url)
    assert body(answer) == (TEXT[:size], "cut" if size < len(TEXT) else "end")


def test_a_stalled_stream_stays_open(sse, wire, seven):
    answer = wire.get(sse.replay(seven, "--stall-after", "2").url)
    assert len(answer.events(2)) == 2
    assert answer.is_quiet(0.2)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_split_makes_chunks_of_that_size(sse, wire, seven, size):
    answer = wire.get(sse.replay(seven, "--split", size, "--no-comments").url)
    pieces = []
    while piece := answer.more():
        pieces.append(piece)
    assert b"".join(pieces) == TEXT
    assert {len(piece) for piece in pieces[:-1]} <= {size}


def test_cuts_can_be_resets(sse, wire, seven):
    answer = wire.get(sse.replay(seven, "--reset").url)
    assert body(answer)[1] == "reset"


def test_the_first_requests_are_refused(sse, wire, seven):
    server = sse.replay(seven, "--status", "503", "--times", "2", "--retry-after", "7")
    for _ in range(2):
        refused = wire.get(server.url)
        assert (refused.status, refused.header("retry-after")) == (503, "7")
    assert wire.get(server.url).status == 200


@pytest.mark.parametrize("status", [204, 304])
def test_a_refusal_that_may_have_no_body_has_none(sse, wire, seven, status):
    sock = wire.send(sse.replay(seven, "--status", str(status)).url,
                     b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
                     b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
    received = b""
    while piece := sock.recv(65536):
        received += piece
    assert re.match(rb"HTTP/1.1 %d [^\r]*\r\n(?:[^\r]+\r\n)*\r\nHTTP/1.1 200 " % status, received)


def test_the_type_can_be_wrong(sse, wire, seven):
    assert wire.get(sse.replay(seven, "--wrong-type").url).header("content-type") == "text/html"


def test_comments_can_be_left_out(sse, wire, seven):
    assert body(wire.get(sse.replay(seven).url))[0] == b": hi\n\n" + TEXT
    assert body(wire.get(sse.replay(seven, "--no-comments").url))[0] == TEXT


def test_bits_flip_the_same_way_each_time(sse, wire, seven):
    server = sse.replay(seven, "--corrupt", "0.05", "--no-comments")
    first, again = body(wire.get(server.url))[0], body(wire.get(server.url))[0]
    assert first == again != TEXT
    flipped = [a ^ b for a, b in zip(first, TEXT) if a != b]
    assert len(first) == len(TEXT) and 1 < len(flipped) < len(TEXT) / 4
    assert all(bits.bit_count() == 1 for bits in flipped)
    other = sse.replay(seven, "--corrupt", "0.05", "--no-comments", "--seed", "7")
    assert body(wire.get(other.url))[0] != first


def test_faults_combine(sse, wire, seven):
    server = sse.replay(seven, "--split", "5", "--cut-after", "33", "--wrong-type", "--corrupt", "0.05", "--no-comments")
    answer, again = wire.get(server.url), wire.get(server.url)
    assert answer.header("content-type") == "text/html"
    got, how = body(answer)
    assert (len(got), how) == (33, "cut")
    assert got != TEXT[:33] and body(again) == (got, how)


def test_a_buffering_proxy_gives_events_in_lumps(sse, wire, tmp_path):
    path = recording(tmp_path / "r", *({"t": i / 50, "data": str(i)} for i in range(1, 20)))
    answer = wire.get(sse.replay(path, "--coalesce", "200ms").url)
    lumps = []
    while not answer.ended:
        lumps.append(answer.more().count(b"data"))
    assert [sum(lumps[:n]) for n in range(1, len(lumps))] in ([10, 19], [19])  # a late lump meets the next one


def test_jitter_is_late_never_early_and_keeps_the_order(sse, wire, tmp_path):
    path = recording(tmp_path / "r", *({"t": i / 20, "data": str(i)} for i in range(10)))
    begun = time.monotonic()
    answer = wire.get(sse.replay(path, "--jitter", "300ms").url)
    events = []
    while not answer.ended:
        answer.stream.feed(answer.more())
        late = time.monotonic() - begun
        events += [late] * (len(answer.stream.events) - len(events))
    assert [event.data for event in answer.stream.events] == [str(i) for i in range(10)]
    assert all(late >= i / 20 for i, late in enumerate(events))


@pytest.mark.parametrize("kind, count", [("text", 2), ("bytes", 2)])
def test_events_are_counted_in_recorded_reads_too(sse, wire, tmp_path, kind, count):
    lines = [{"t": 0, "data": "x"}] * 3 if kind == "text" else [
        {"t": 0, "bytes": piece} for piece in ("data: x\n", "\nda", "ta: x\n\n", "data: x\n\n")]
    answer = wire.get(sse.replay(recording(tmp_path / "r", *lines), "--drop-every", count).url)
    assert body(answer) == (b"data: x\n\n" * count, "cut")


@pytest.mark.parametrize("flags", [("--drop-every", "0"), ("--corrupt", "2"), ("--status", "99"), ("--times", "2"),
                                   ("--from", "x"), ("--loop=x"), ("--rate", "0"), ("--repeat", "never")])
def test_a_value_that_cannot_be_is_a_usage_error(sse, seven, flags):
    ran = sse.run("replay", seven, *([flags] if isinstance(flags, str) else flags))
    assert ran.status == 2
    assert ran.err.startswith("sse: error: ") and "\nsse: hint: " in ran.err


def test_once_is_over_too_when_the_last_event_was_followed_by_a_cut(sse, wire, seven):
    server = sse.replay(seven, "--once", "--drop-every", "7")
    with pytest.raises(Cut):
        wire.get(server.url).read_all()
    assert wire.get(server.url, headers={"Last-Event-ID": "7"}).status == 204
    assert server.wait() == 0


@pytest.mark.parametrize("how", [("--stdout",), ("--post", "http://127.0.0.1:9/"), ("--to", "sse"), ("--info",)])
@pytest.mark.parametrize("fault", ["--drop-every=3", "--stall-after=3", "--reset", "--status=503", "--wrong-type",
                                   "--shared", "--cut-after=9", "--split=1", "--corrupt=0.1"])
def test_what_is_done_to_clients_is_not_silently_left_out(sse, seven, how, fault):
    flag = fault.split("=")[0]
    if how == ("--stdout",) and flag in ("--cut-after", "--split", "--corrupt"):
        return
    ran = sse.run("replay", *how, fault, seven)
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err.splitlines()[0] == f"sse: error: {flag} cannot be combined with {how[0]}"


def test_faults_of_bytes_are_of_the_printed_text_too(sse, wire, seven):
    whole = sse.run("replay", "--stdout", "--no-wait", seven).out
    cut = sse.run("replay", "--stdout", "--no-wait", "--cut-after", "25", seven)
    assert (cut.status, cut.out) == (0, whole[:25])
    flags = ("--no-wait", "--corrupt", "0.1", "--seed", "7")
    corrupted = sse.run("replay", "--stdout", *flags, seven).out
    assert corrupted != whole and len(corrupted) == len(whole)
    assert corrupted == wire.get(sse.replay(*flags, seven).url).read_all()
    pieces = sse.start("replay", "--stdout", "--no-wait", "--split", "3", seven)
    assert pieces.wait() == 0 and pieces.stdout.bytes == whole


def test_split_text_is_written_piece_by_piece(sse, seven):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # keeps each write apart
    ran = sse.start("replay", "--stdout", "--no-wait", "--split", "5", seven, stdout=theirs)
    theirs.close()
    pieces = []
    while piece := ours.recv(1000):
        pieces.append(piece)
    assert ran.wait() == 0 and max(map(len, pieces)) == 5 and len(pieces) > 10
    assert b"".join(pieces) == sse.run("replay", "--stdout", "--no-wait", seven).out
