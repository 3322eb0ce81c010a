"""sse replay: recordings played to stdout and to clients."""
import contextlib
import gzip
import json
import os
import re
import signal
import threading
import time

import pytest

from support.deadline import poll
from support.recording import HEAD, recording
from support.wire import Cut



@pytest.fixture
def three(tmp_path):
    return recording(tmp_path / "three.jsonl", *({"t": i / 10, "id": str(i), "data": f"line {i}"} for i in (1, 2, 3)))


THREE = "".join(f"data: line {i}\nid: {i}\n\n" for i in (1, 2, 3)).encode()


# ---- to stdout

def test_stdout_is_event_stream_text(sse, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "event": "add", "id": "7", "data": "a\nb"}, {"t": 0, "comment": " ping"},
                     {"t": 0, "retry": 3000}, {"t": 0, "id": "8"}, {"t": 0, "close": "reset"}, {"t": 0, "open": {}},
                     {"t": 0, "bytes": "data: c\r\n\r\n"}, {"t": 0, "base64": "//4="}, {"t": 0, "close": "eof"})
    ran = sse.run("replay", "--stdout", path)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == b"event: add\ndata: a\ndata: b\nid: 7\n\n: ping\n\nretry: 3000\n\nid: 8\n\ndata: c\r\n\r\n\xff\xfe"


@pytest.mark.parametrize("how", ["plain", "gzip", "stdin", "gzip on stdin"])
def test_a_recording_comes_plain_or_gzipped_from_a_file_or_stdin(sse, three, how):
    if "gzip" in how:
        three.write_bytes(gzip.compress(three.read_bytes()))
    if "stdin" in how:
        ran = sse.run("replay", "--stdout", "--no-wait", "-", input=three.read_bytes())
    else:
        ran = sse.run("replay", "--stdout", "--no-wait", three)
    assert (ran.status, ran.out, ran.err) == (0, THREE, "")


@pytest.mark.parametrize("args, out", [
    (("--stdout",), THREE), (("--to", "sse"), THREE), (("--stdout", "--loop", "2", "-n", "3"), THREE),
    (("--info",), None), (("--stdout", "--from", "id:3"), b"")])
def test_a_recording_comes_through_a_named_pipe(sse, three, tmp_path, args, out):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ran = sse.start("replay", "--no-wait", *args, pipe)
    pipe.write_bytes(three.read_bytes())
    assert ran.wait() == 0
    assert ran.stdout.bytes == out if out is not None else b"events      3" in ran.stdout.bytes


def test_a_named_pipe_is_served_to_many(sse, wire, three, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(three.read_bytes(),)).start()
    server = sse.replay(pipe, "--no-wait")
    assert [wire.get(server.url).read_all() for _ in range(2)] == [THREE] * 2


def test_what_is_wrong_on_standard_input_is_said_of_it(sse):
    bad = HEAD.encode() + b'{"t":0,"data":"a"}\nx\n'
    for flags in ("--stdout",), ("--stdout", "--loop", "2"), ("--info",), ("--to", "sse"):
        ran = sse.run("replay", *flags, "-", input=bad)
        assert (ran.status, ran.err.splitlines()[0]) == (3, "sse: error: stdin:3: not a JSON object")


@pytest.mark.linux
@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs Linux")
def test_what_is_kept_of_standard_input_goes_however_it_ends(sse, wire, three, tmp_path):
    (tmp_path / "kept").mkdir()
    server = sse.replay("-", input=three.read_bytes(), env={"TMPDIR": str(tmp_path / "kept")})
    assert len(wire.get(server.url).events(3)) == 3
    assert list((tmp_path / "kept").iterdir()) == []


def test_what_another_user_could_not_read_is_refused(sse, three):
    ran = sse.run("replay", "--listen", "127.0.0.1:0", "--user", "nobody", "-", input=three.read_bytes())
    assert (ran.status, ran.err.splitlines()[0]) == (2, "sse: error: --user cannot be combined with a pipe, a HAR file, a cassette or a store")


def test_standard_input_can_be_named_once(sse, three):
    ran = sse.run("replay", "--stdout", "-", "-", input=three.read_bytes())
    assert (ran.status, ran.err.splitlines()[0]) == (2, "sse: error: standard input is given twice")


@pytest.mark.parametrize("flags, least", [((), 0.3), (("--speed", "0.5"), 0.6)])
def test_time_passes_as_recorded(sse, three, flags, least):
    begun = time.monotonic()
    ran = sse.run("replay", "--stdout", three, *flags)
    assert time.monotonic() - begun >= least
    assert (ran.status, ran.out) == (0, THREE)


@pytest.mark.parametrize("flags, least", [(("--speed", "100000"), 0.1), (("--max-gap", "20ms"), 0.04), (("--no-wait",), 0)])
def test_hours_of_a_recording_pass_in_no_time_when_asked(sse, tmp_path, flags, least):
    path = recording(tmp_path / "r", *({"t": t, "data": ""} for t in (5000, 10_000)))
    begun = time.monotonic()
    assert sse.run("replay", "--stdout", path, *flags).out == b"data: \n\n" * 2  # which else takes three hours
    assert time.monotonic() - begun >= least


def test_each_event_leaves_when_it_is_due_and_not_later(sse, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "data": "now"}, {"t": 600, "data": "later"})
    playing = sse.start("replay", "--stdout", path)
    playing.stdout.wait_for("data: now\n\n")
    assert playing.running


def test_a_reader_that_goes_ends_it_quietly_even_in_a_pause(sse, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "data": "now"}, {"t": 600, "data": "later"})
    reading, writing = os.pipe()
    playing = sse.start("replay", "--stdout", path, stdout=writing)
    os.close(writing)
    assert os.read(reading, 100) == b"data: now\n\n"
    os.close(reading)
    assert playing.wait() == 0
    assert playing.stderr.text() == ""


def test_a_full_disk_is_an_error(sse, three):
    with open("/dev/full", "wb") as full:
        ran = sse.run("replay", "--stdout", "--no-wait", three, stdout=full)
    assert (ran.status, ran.err) == (23, "sse: error: cannot write to standard output: No space left on device\n"
                                    "sse: hint: free space on the disk, or redirect the output to another one\n")


PARTS = {  # of five events a second apart, with ids a to e, c twice; types x, y, x.z
    "from a time": (("--from", "3"), "cde"),
    "to a time": (("--to", "2.5s"), "ab"),
    "between times": (("--from", "2", "--to", "4"), "bcd"),
    "after an id": (("--from", "id:b"), "cde"),
    "to an id": (("--to", "id:d"), "abcd"),
    "both at once": (("--from", "id:a", "--to", "4"), "bcd"),
    "a type": (("-e", "x"), "ae"),
    "a glob": (("-e", "x*"), "ace"),
    "a set": (("-e", "[y-z]", "-e", "x.[!a-y]"), "bcd"),
    "without a type": (("-e", "!y"), "ace"),
    "types, less one": (("-e", "*", "-e", "!x"), "bcd"),
    "a number": (("-n", "2"), "ab"),
    "laps": (("--loop", "2", "--to", "2"), "a b a@2 b@2"),
    "laps without end": (("--loop", "-n", "7", "--to", "id:c"), "a b c a@2 b@2 c@2 a@3"),
    "laps from an id": (("--loop=2", "--from", "id:c"), "d e d@2 e@2"),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_recording(sse, tmp_path, part):
    flags, wanted = PARTS[part]
    types = {"a": "x", "b": "y", "c": "x.z", "d": "y", "e": "x"}
    path = recording(tmp_path / "r", *({"t": i, "event": types[c], "id": c, "data": c} for i, c in enumerate("abcde", 1)))
    ran = sse.run("replay", "--stdout", "--no-wait", path, *flags)
    ids = [line[4:] for line in ran.out.decode().splitlines() if line.startswith("id: ")]
    assert (ran.status, ran.err) == (0, "")
    assert ids == (wanted.split() if " " in wanted else list(wanted))


@pytest.mark.parametrize("flags, least", [
    (("--from", "10000", "--to", "10000.2"), 0.2), (("--interval", "100ms"), 0.4), (("--rate", "10"), 0.4),
    (("--interval", "100ms", "--speed", "2"), 0.2), (("--from", "10000.1", "--to", "10000.2", "--loop", "3"), 0.3),
    (("--coalesce", "250ms", "--from", "10000"), 0.5)])
def test_other_times_than_the_recorded(sse, tmp_path, flags, least):
    """None waits for the hours before the first event."""
    path = recording(tmp_path / "r", *({"t": 10_000 + i / 10, "data": ""} for i in range(5)))
    begun = time.monotonic()
    assert sse.run("replay", "--stdout", path, *flags).status == 0
    assert time.monotonic() - begun >= least


def test_an_id_that_is_not_there_is_an_error(sse, three):
    ran = sse.run("replay", "--stdout", three, "--from", "id:9")
    assert (ran.status, ran.err.splitlines()[0]) == (3, f"sse: error: {three}: no record has the ID 9")


@pytest.mark.parametrize("flags, status, said", [
    (("--from", "5", "--to", "2"), 2, "--to 2s is before --from 5s"),
    (("--from", "1m30s", "--to", "2"), 2, "--to 2s is before --from 90s"),
    (("--from", "id:3", "--to", "id:1"), 3, "--to is before --from"),
    (("--from", "id:2", "--to", "id:2"), 3, "--to is before --from"),
    (("--from", "0.35", "--to", "id:3"), 3, "--to is before --from"),
    (("--from", "id:3", "--to", "0.1"), 3, "--to is before --from"),
])
@pytest.mark.parametrize("how", ["--stdout", "--no-wait"])
def test_an_end_before_the_beginning_is_an_error(sse, three, flags, status, said, how):
    ran = sse.run("replay", "--listen", "127.0.0.1:0", how, three, *flags)
    assert ran.status == status and ran.out == b"" and "serving" not in ran.err
    error, hint = ran.err.splitlines()
    assert error.startswith("sse: error: ") and error.endswith(said) and hint.startswith("sse: hint: ")


@pytest.mark.parametrize("flags", [("--from", "1h"), ("-e", "none"), ("--from", "0.21", "--to", "0.25")])
def test_a_part_with_nothing_in_it_is_a_warning(sse, wire, three, flags):
    warning = f"sse: warning: {three}: --from, --to and -e select no event\n"
    for how in ("--stdout",), ("--to", "sse"):
        ran = sse.run("replay", *how, three, *flags)
        assert (ran.status, ran.out, ran.err) == (0, b"", warning)
    assert sse.replay(three, *flags).stderr.text().startswith(warning)


def test_a_number_of_events_is_of_all_that_a_client_gets(sse, wire, three):
    server = sse.replay(three, "--no-wait", "--loop", "-n", "5")
    ids = [event.id for event in wire.get(server.url).events()]
    assert ids == ["1", "2", "3", "1@2", "2@2"]
    for n, id in enumerate(ids[:4], 1):
        rest = wire.get(server.url, headers={"Last-Event-ID": id}).events()
        assert [event.id for event in rest] == ids[n:]
    for over in "2@2", "3@2", "1@3", "1@18446744073709551615":
        assert wire.get(server.url, headers={"Last-Event-ID": over}).status == 204


def test_a_number_of_events_counts_those_that_are_wanted(sse, wire, tmp_path):
    path = recording(tmp_path / "r", *({"t": 0, "id": c, "event": "xy"[c in "bd"], "data": c} for c in "abcdef"))
    server = sse.replay(path, "--no-wait", "-e", "x", "-n", "3")
    assert [event.id for event in wire.get(server.url).events()] == ["a", "c", "e"]
    assert [e.id for e in wire.get(server.url, headers={"Last-Event-ID": "c"}).events()] == ["e"]
    assert wire.get(server.url, headers={"Last-Event-ID": "e"}).status == 204


def test_a_number_of_events_counts_those_in_recorded_reads(sse, tmp_path):
    path = recording(tmp_path / "r", *({"t": 0, "bytes": f"data: {c}\n\nda"} if c < "c" else
                                       {"t": 0, "bytes": f"ta: {c}\n\n"} for c in "acd"))
    ran = sse.run("replay", "--stdout", path, "-n", "2")
    assert (ran.status, ran.out) == (0, b"data: a\n\ndata: c\n\n")


@pytest.mark.parametrize("how", [("--stdout",), ()])
def test_a_number_of_events_is_the_end_of_one_that_grows(sse, wire, three, how):
    if how:
        ran = sse.run("replay", "--follow", "-n", "2", "--no-wait", *how, three)
        assert ran.status == 0 and ran.out.count(b"data:") == 2
        return
    server = sse.replay("--follow", "--no-wait", "-n", "2", three)
    assert len(wire.get(server.url).events()) == 2  # to the end of the stream
    assert wire.get(server.url, headers={"Last-Event-ID": "2"}).status == 204


def test_who_resumes_at_the_end_of_a_lap_has_the_pause_before_the_next(sse, wire, tmp_path):
    path = recording(tmp_path / "r", *({"t": t, "id": str(t), "data": ""} for t in (0, 300)))
    server = sse.replay(path, "--speed", "600", "--loop")  # laps of half a second
    stream = wire.get(server.url, headers={"Last-Event-ID": "300"})
    begun = time.monotonic()
    assert [event.id for event in stream.events(4)][:4] == ["0@2", "300@2", "0@3", "300@3"]
    assert time.monotonic() - begun > 0.9


# ---- what is not a recording

BAD = {
    "a text": (b"hello\n", 3, "F:1: not a recording: not a JSON object"),
    "JSON of another kind": (b'{"t":0,"data":"x"}\n', 3, "F:1: not a recording: the first line has no key sse"),
    "a newer version": (b'{"sse":2}\n', 3,
                        "F:1: recording version 2 is newer than 1, the newest version that this program reads"),
    "an empty file": (b"", 3, "F: the file is empty: nothing was recorded"),
    "a torn first line": (HEAD[:30].encode(), 3, "F:1: the first line is incomplete: nothing was recorded"),
    "a bad line": (HEAD.encode() + b'{"t":0,"data":"a"}\nx\n{"t":0,"data":"b"}\n', 3, "F:3: not a JSON object"),
    "time that goes back": (HEAD.encode() + b'{"t":2,"comment":""}\n{"t":1,"data":"b"}\n', 3,
                            "F:3: t decreases from 2.000000 to 1.000000"),
    "no time": (HEAD.encode() + b'{"data":"b"}\n', 3, "F:2: no t"),
    "negative time": (HEAD.encode() + b'{"t":-1,"data":"b"}\n', 3, "F:2: t is negative: -1"),
    "an id with a line end": (HEAD.encode() + b'{"t":0,"id":"a\\nb","data":"b"}\n', 3, "F:2: id contains LF"),
    "a line of 100 MB": (HEAD.encode() + b'{"t":0,"data":"' + b"x" * 100_000_000 + b'"}\n', 3,
                         "F:2: the line is longer than 67108864 bytes"),
    "broken gzip": (gzip.compress(HEAD.encode())[:10] + b"garbage", 3, "F: gzip: invalid"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_not_a_recording_is_named_with_its_place(sse, tmp_path, kind):
    data, status, message = BAD[kind]
    path = tmp_path / "bad.jsonl"
    path.write_bytes(data)
    ran = sse.run("replay", "--stdout", "--no-wait", path)
    lines = ran.err.splitlines()
    assert ran.status == status
    assert lines[0].startswith("sse: error: " + message.replace("F", str(path), 1))
    assert lines[1].startswith("sse: hint: ")
    assert len(lines) == 2


def test_what_a_reader_does_not_know_is_ignored(sse, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "new": {"a": [1]}, "data": "a", "x": None}, {"t": 1, "news": "b"}, "\n",
                     {"t": 2, "new": 1, "open": {"status": 200, "other": [{}]}}, {"t": 3, "close": "eof", "by": "us"},
                     head={"sse": 1, "more": {"deep": [1, {"x": 2}]}, "request": {"method": "GET", "tls": "1.3"}})
    ran = sse.run("replay", "--stdout", "--no-wait", path)
    assert (ran.status, ran.out, ran.err) == (0, b"data: a\n\n", "")


def test_what_was_before_a_bad_line_is_played(sse, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "data": "a"}, "x\n")
    assert sse.run("replay", "--stdout", path).out == b"data: a\n\n"


def test_a_torn_last_line_is_a_warning(sse, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "data": "a"}, '{"t":0.1,"da')
    ran = sse.run("replay", "--stdout", path)
    assert (ran.status, ran.out) == (0, b"data: a\n\n")
    assert ran.err == f"sse: warning: {path}:3: the last line is incomplete and was skipped\n"


@pytest.mark.parametrize("path, message", [
    ("/nowhere/x", "cannot open /nowhere/x: No such file or directory")])
def test_a_file_that_cannot_be_read(sse, path, message):
    ran = sse.run("replay", "--stdout", path)
    assert (ran.status, ran.err.splitlines()[0]) == (23, f"sse: error: {message}")


def test_a_directory_without_a_recording(sse, tmp_path):
    (tmp_path / "README").write_text("no recording")
    ran = sse.run("replay", tmp_path)
    assert (ran.status, ran.err.splitlines()) == (3, [
        f"sse: error: {tmp_path}: the directory contains no recording",
        "sse: hint: name a directory with .jsonl, .ndjson, .sse or .har files; sse tail --record FILE URL makes a recording"])


@pytest.mark.parametrize("flags", [("--speed", "0"), ("--speed", "-1"), ("--speed", "x"), ("--max-gap", "x"), ("--nope",)])
def test_a_flag_that_cannot_be_is_a_usage_error(sse, three, flags):
    ran = sse.run("replay", "--stdout", three, *flags)
    assert ran.status == 2
    assert ran.err.startswith("sse: error: ") and "\nsse: hint: " in ran.err


# ---- to clients

def test_a_client_resumes_in_the_middle_of_a_loop(sse, wire, three):
    server = sse.replay(three, "--no-wait", "--loop", "3")
    rest = wire.get(server.url, headers={"Last-Event-ID": "2@2"}).events()
    assert [event.id for event in rest] == ["3@2", "1@3", "2@3", "3@3"]
    assert wire.get(server.url, headers={"Last-Event-ID": "3@3"}).status == 204
    assert wire.get(server.url, headers={"Last-Event-ID": "3@4"}).header("sse-gap") == "true"


def test_each_client_has_a_clock_of_its_own(sse, wire, three):
    server = sse.replay(three, "--speed", "2")
    for path in ("", "any/path?q=1"):
        begun = time.monotonic()
        answer = wire.get(server.url + path)
        assert answer.status == 200
        assert answer.header("content-type") == "text/event-stream; charset=utf-8"
        assert answer.read_all() == THREE
        assert time.monotonic() - begun >= 0.15


def test_a_client_resumes_after_its_last_event(sse, wire, three):
    server = sse.replay(three)
    assert wire.get(server.url, headers={"Last-Event-ID": "2"}).read_all() == b"data: line 3\nid: 3\n\n"
    gap = wire.get(server.url, headers={"Last-Event-ID": "none"})
    assert gap.header("sse-gap") == "true"
    assert gap.read_all().endswith(THREE)
    assert wire.get(server.url, headers={"Last-Event-ID": "3"}).status == 204


def test_a_client_resumes_in_a_large_recording_that_was_replaced(sse, wire, tmp_path):
    path = tmp_path / "r"
    lines = [{"t": 0, "id": str(n), "data": "x" * 10_000} for n in range(2000)]  # so large that places are kept
    server = sse.replay(recording(path, *lines), "--no-wait")
    assert len(wire.get(server.url).events()) == 2000
    recording(path, *({**line, "data": "y" * (9_000 + n)} for n, line in enumerate(lines)))
    for n in 3, 1500, 1997:
        rest = wire.get(server.url, headers={"Last-Event-ID": str(n)}).events()
        assert [event.id for event in rest] == [str(id) for id in range(n + 1, 2000)]
        assert set(rest[0].data) == {"y"}


def test_the_recorded_request_and_answer_are_met(sse, wire, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "data": "a"}, head=json.dumps({
        "sse": 1, "request": {"method": "POST", "headers": {}},
        "response": {"status": 201, "headers": {"Content-Type": "text/event-stream; charset=utf-8", "X-A": "b%0d%0ac"}}
    }) + "\n")
    server = sse.replay(path)
    for answer in (wire.request(server.url, "POST", body=b'{"stream":true}'), wire.get(server.url)):
        assert answer.status == 201
        assert answer.header("content-type") == "text/event-stream; charset=utf-8"
        assert answer.header("x-a") == "b%0d%0ac"
        assert answer.read_all() == b"data: a\n\n"
    assert wire.request(server.url, "HEAD").status == 201
    refused = wire.request(server.url, "DELETE")
    assert (refused.status, refused.header("allow")) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("status, answered", [(204, 204), (304, 304), (101, 200), (500, 500)])
def test_a_status_without_a_body_has_none(sse, wire, tmp_path, status, answered):
    path = recording(tmp_path / "r", {"t": 0, "data": "a"}, head={"response": {"status": status, "headers": {}}})
    sock = wire.send(sse.replay(path).url, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                           b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    received = b""
    while piece := sock.recv(65536):
        received += piece
    if answered in (204, 304):  # the next answer follows its head
        assert re.match(rb"HTTP/1.1 %d [^\r]*\r\n(?:[^\r]+\r\n)*\r\nHTTP/1.1 %d " % (answered, answered), received)
        assert b"Content-Type" not in received.split(b"\r\n\r\n")[0] and b"chunked" not in received
    else:
        assert received.startswith(b"HTTP/1.1 %d " % answered) and b"data: a\n\n" in received


def test_recorded_reads_are_chunks(sse, wire, tmp_path):
    pieces = ["data: a", "\n", "\ndata: \u00e9\n\n"]
    path = recording(tmp_path / "r", *({"t": 0, "bytes": piece} for piece in pieces))
    answer = wire.get(sse.replay(path).url)
    assert [answer.more().decode() for _ in pieces] == pieces
    assert answer.more() == b"" and answer.ended


def test_once_ends_with_the_first_client_that_has_all(sse, wire, three):
    server = sse.replay(three, "--once", "--port-file", three.parent / "port")
    port = poll("the port file", lambda: (three.parent / "port").exists() and (three.parent / "port").read_text())
    assert server.url.endswith(f":{port.strip()}/")
    wire.get(server.url).close()  # does not count
    assert wire.get(server.url).read_all() == THREE
    assert server.wait() == 0


def test_a_bad_line_cuts_the_stream_and_with_once_is_the_end(sse, wire, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "data": "a"}, "x\n", {"t": 0, "data": "b"})
    server = sse.replay(path)
    answer = wire.get(server.url)
    with pytest.raises(Cut):
        answer.read_all()
    assert answer.body == b"data: a\n\n"
    server.stderr.wait_for(f"^sse: warning: {path}:3: not a JSON object$")
    assert server.running
    once = sse.replay(path, "--once")
    wire.get(once.url)
    assert once.wait() == 3
    assert f"sse: error: {path}:3: not a JSON object\n" in once.stderr.text()


def test_a_recording_on_stdin_is_served_to_many(sse, wire, three):
    server = sse.replay("-", "--no-wait", input=three.read_bytes())
    for _ in range(2):
        assert wire.get(server.url).read_all() == THREE


def test_what_is_not_a_recording_is_refused_before_it_is_served(sse, tmp_path):
    path = tmp_path / "bad"
    path.write_text("hello\n")
    ran = sse.run("replay", path, "--listen", "127.0.0.1:0")
    assert (ran.status, "serving" in ran.err) == (3, False)


@pytest.mark.release
def test_a_large_recording_needs_no_memory(sse, wire, tmp_path):
    path = tmp_path / "large"
    with open(path, "w") as file:
        file.write(HEAD)
        for i in range(100_000):
            file.write(f'{{"t":0,"data":"{"x" * 312}"}}\n')
    server = sse.replay(path)
    before = server.rss_kib()
    sock = wire.send(server.url, b"GET / HTTP/1.0\r\n\r\n")
    sent = 0
    while piece := sock.recv(1 << 16):
        sent += len(piece)
    assert sent > 100_000 * 320
    assert server.rss_kib() - before < 8 * 1024  # of 32 MB that went through


def test_a_signal_ends_it(sse, wire, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "data": "a"}, {"t": 600, "data": "b"})
    server = sse.replay(path)
    wire.get(server.url).events(1)
    server.signal(signal.SIGTERM)
    assert server.wait() in (0, 143)


NOTHING = {
    "left out": ({"t": 1, "id": "1", "data": "x"}, "-e", "nosuch"),
    "only a close": ({"t": 0, "close": "eof"}, "--no-wait"),
}


@pytest.mark.parametrize("record,args", [(it[0], it[1:]) for it in NOTHING.values()], ids=NOTHING)
def test_a_loop_that_sends_nothing_is_told_and_holds_up_nobody(sse, wire, tmp_path, record, args):
    path = recording(tmp_path / "r", record)
    told = f"{path}: no record would be sent, so it cannot be played in a loop"
    ran = sse.run("replay", path, "--stdout", "--loop", *args)
    assert ran.status == 3 and ran.err.startswith(f"sse: error: {told}\nsse: hint: remove --loop")
    for more in ((), ("--shared",)):
        server = sse.replay(path, "--loop", *args, *more)
        for _ in range(2):  # the second as well
            with contextlib.suppress(Cut):
                wire.get(server.url).read_all()
        server.stderr.wait_for(re.escape(f"sse: warning: {told}"))
        server.signal(signal.SIGTERM)
        assert server.wait() in (0, 143)
