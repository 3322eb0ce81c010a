"""Recordings as they are found in the field: JSON lines, HAR files of any browser, hostile text, times
at the extremes."""
import base64
import gzip
import json
import re
import select

import pytest

from support.recording import HEAD, recorded, recording
from support.wire import Cut

NDJSON = {"Content-Type": "application/x-ndjson"}
ESCAPES = "\x1b[31m\x07\u009b2J\u202e\x7f"  # ESC, BEL, CSI (C1), bidirectional override, DEL


def har(*entries):
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}})


def entry(mime="text/event-stream", **content):
    return {"startedDateTime": "2026-11-22T05:00:00.250+01:00", "request": {"method": "GET", "url": "https://x.example/feed"},
            "response": {"status": 200, "headers": [], "content": {"mimeType": mime, **content}}}


def played(sse, path, *flags):
    ran = sse.run("replay", "--stdout", "--no-wait", path, *flags)
    assert (ran.status, ran.err) == (0, "")
    return ran.out


# ---- JSON lines

@pytest.mark.parametrize("mime, body", [
    ("application/x-ndjson", b'{"a":1}\n{"b":2}\n'), ("application/stream+json; charset=utf-8", b'{"a":1}\n{"b":2}\n'),
    ("application/json-seq", b'\x1e{"a":1}\n\x1e{"b":2}\n'), ("text/event-stream", b'data: {"a":1}\n\n: c\n\ndata: {"b":2}\n\n')])
def test_a_stream_is_played_in_the_format_of_its_content_type(sse, wire, tmp_path, mime, body):
    lines = ({"t": 0, "data": '{"a":1}'}, {"t": 0, "comment": " c"}, {"t": 0, "data": '{"b":2}'})
    path = recording(tmp_path / "r.jsonl", *lines, head=recorded("GET", "http://x/s", **{"Content-Type": mime}))
    for flags in ((), ("--shared", "--no-wait")):
        answer = wire.get(sse.replay(path, *flags).url + "s")
        assert (answer.header("content-type"), answer.read_all()) == (mime, body)
    assert played(sse, path) == body


@pytest.mark.parametrize("name, text, mime", [
    ("r.ndjson", b'{"a":1}\n\n{"b":[1]}\n', "application/x-ndjson"),
    ("r.jsonl", b'\xef\xbb\xbf{"t":7,"a":1}\n{"sse":"later","b":2}', "application/x-ndjson"),
    ("r.sse", b'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n{"a":1}\n[2]\n', "application/x-ndjson"),
    ("r.sse", b'\x1e{"a":\n1}\n\x1e{"b":2}\n', "application/json-seq")])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_raw_capture_of_json_lines_is_a_recording(sse, wire, tmp_path, name, text, mime, zipped):
    path = tmp_path / (name + ".gz" if zipped else name)
    path.write_bytes(gzip.compress(text) if zipped else text)
    answer = wire.get(sse.replay(tmp_path).url + "r")
    body = answer.read_all()
    assert (answer.status, answer.header("content-type")) == (200, mime)
    assert len(body.splitlines()) == 2 and b"data:" not in body and body == played(sse, path)
    ran = sse.run("replay", path, "--to", "jsonl")
    head, *lines = map(json.loads, ran.out.splitlines())
    assert (ran.status, head["response"]["headers"]) == (0, {"Content-Type": mime}) and len(lines) == 2


def test_lines_of_a_recording_without_its_first_line_are_no_json_lines(sse, tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"t":1,"data":"a"}\n')
    ran = sse.run("replay", "--stdout", path)
    assert (ran.status, ran.err.splitlines()[0]) == (
        3, f"sse: error: {path}:1: not a recording: the first line has no key sse")


# ---- heads

def test_the_content_type_names_the_charset_unless_the_recording_has_another(sse, wire, tmp_path):
    plain = recording(tmp_path / "a" / "plain.jsonl", {"t": 0, "data": "\u20ac"})
    assert wire.get(sse.replay(plain).url).header("content-type") == "text/event-stream; charset=utf-8"
    other = recording(tmp_path / "b" / "other.jsonl", {"t": 0, "data": "x"},
                      head=recorded("GET", "http://x/", **{"Content-Type": "text/event-stream; charset=x"}))
    assert wire.get(sse.replay(other).url).header("content-type") == "text/event-stream; charset=x"


# ---- resuming, and what is listed

def test_a_get_with_last_event_id_resumes_what_a_post_was_answered(sse, wire, tmp_path):
    for name in "ab":
        recording(tmp_path / f"{name}.jsonl", *({"t": 0, "id": f"{name}{i}", "data": f"{name}{i}"} for i in range(3)),
                  head=recorded("POST", "http://x/mcp", f'{{"call":"{name}"}}'))
    for flags in ((), ("--match-body",)):
        server = sse.replay(tmp_path, *flags)
        back = wire.get(server.url + "mcp", headers={"Last-Event-ID": "b0"})
        assert (back.status, [event.data for event in back.events()]) == (200, ["b1", "b2"])
        assert [e.data for e in wire.get(server.url + "mcp", headers={"Last-Event-ID": "a1"}).events()] == ["a2"]
        assert wire.get(server.url + "mcp", headers={"Last-Event-ID": "a2"}).status == 204
        assert wire.get(server.url + "mcp").status == 405
        assert wire.get(server.url + "other", headers={"Last-Event-ID": "a2"}).status == 404


def test_the_list_of_recordings_masks_secrets_and_controls(sse, wire, tmp_path):
    for i in "12":
        recording(tmp_path / f"{i}.jsonl", {"t": 0, "data": ""},
                  head=recorded("GET", f"http://x/a%1b%0ab?n={i}&api_key=hush&token=hush"))
    listed = wire.get(sse.replay(tmp_path).url + "nope").read_all().decode()
    assert "hush" not in listed and "\x1b" not in listed and "\nb" not in listed
    assert "n=1&api_key=***&token=***\n" in listed


# ---- HAR

@pytest.mark.parametrize("odd", ['{"x": 184467440737095516160}', '{"x": 1e999}', '{"x": "half \\ud83d"}',
                                 '{"request": {"headers": [{"name": "a", "value": "\\ude00"}]}}'])
def test_what_is_odd_in_other_entries_of_a_har_file_does_not_matter(sse, tmp_path, odd):
    path = tmp_path / "x.har"
    text = har(entry(text="data: a\n\n"))
    path.write_bytes(b"\xef\xbb\xbf" + text.replace('"entries": [', f'"entries": [{odd}, ').encode())
    assert played(sse, path) == b"data: a\n\n"


@pytest.mark.parametrize("broken, where", [
    ({**entry(), "_eventSourceMessages": [{"data": "a"}, {"data": "HALF"}]}, "entry 2: message 2: data"),
    (entry(text="data: HALF\n\n"), "entry 2: response.content.text"),
])
def test_what_is_odd_in_a_stream_of_a_har_file_is_named_with_its_place(sse, tmp_path, broken, where):
    path = tmp_path / "x.har"
    path.write_text(har({}, broken).replace("HALF", "\\ud83d"))
    ran = sse.run("replay", "--stdout", path)
    assert (ran.status, ran.err.splitlines()[0]) == (3, f"sse: error: {path}: {where} is not a well-formed string")


def test_an_unfinished_event_of_a_har_body_is_told(sse, tmp_path):
    path = tmp_path / "x.har"
    path.write_text(har(entry(text="data: a\n\ndata: b")))
    ran = sse.run("replay", "--stdout", path)
    assert (ran.status, ran.out) == (0, b"data: a\n\n")
    assert ran.err == f"sse: warning: {path}: entry 1: the last event is incomplete and was skipped\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_base64_of_a_har_file_may_have_line_ends(sse, tmp_path, ending):
    path = tmp_path / "x.har"
    text = base64.b64encode(b"data: a\n\n" * 20).decode()
    path.write_text(har(entry(text=ending.join(text[i:i + 76] for i in range(0, len(text), 76)) + ending, encoding="base64")))
    assert played(sse, path) == b"data: a\n\n" * 20


def test_base64_of_a_har_file_that_is_none_is_an_error(sse, tmp_path):
    path = tmp_path / "x.har"
    path.write_text(har(entry(text="data: a\n\n", encoding="base64")))
    ran = sse.run("replay", "--stdout", path)
    assert (ran.status, ran.err.splitlines()[0]) == (
        3, f"sse: error: {path}: entry 1: response.content.text is not valid base64")


def test_json_lines_of_a_har_file_are_a_stream(sse, wire, tmp_path):
    path = tmp_path / "x.har"
    path.write_text(har(entry("application/x-ndjson", text='{"a":1}\n{"b":2}\n')))
    answer = wire.get(sse.replay(path).url + "feed")
    assert answer.header("content-type") == "application/x-ndjson"
    assert answer.read_all() == b'{"a":1}\n{"b":2}\n'


def started(sse, tmp_path, text):
    path = tmp_path / "x.har"
    path.write_text(har({**entry(text="data: a\n\n"), "startedDateTime": text}))
    ran = sse.run("replay", path, "--to", "jsonl")
    assert (ran.status, ran.err) == (0, "")
    return json.loads(ran.out.splitlines()[0])["started"]


@pytest.mark.parametrize("text, utc", [
    ("2026-11-22T05:00:00.250+01:00", "2026-11-22T04:00:00.250Z"), ("2026-11-22T23:30:00-01:30", "2026-11-23T01:00:00.000Z"),
    ("2026-11-22T05:00:00.123456789Z", "2026-11-22T05:00:00.123Z")])
def test_the_start_of_a_har_stream_is_in_utc(sse, tmp_path, text, utc):
    assert started(sse, tmp_path, text) == utc


@pytest.mark.parametrize("text", ["2026-11-22T05:00:00.1e400Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "yesterday"])
def test_a_start_that_cannot_be_is_replaced_by_a_time_that_can(sse, tmp_path, text):
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", started(sse, tmp_path, text))


# ---- terminals

@pytest.mark.parametrize("flags", [("--stdout",), ("--info",), ("--to", "sse"), ("--to", "har"), ("--to", "curl"), ("--to", "jsonl")])
def test_nothing_of_a_recording_reaches_a_terminal_raw(sse, tmp_path, flags):
    name = tmp_path / f"r{ESCAPES}.jsonl"
    path = recording(name, {"t": 0, "event": "e" + ESCAPES, "id": ESCAPES, "data": "shown " + ESCAPES},
                     {"t": 0, "comment": ESCAPES}, {"t": 0, "bytes": "data: " + ESCAPES}, '{"t":',
                     head=recorded("GET" + ESCAPES, "http://x/" + ESCAPES, **{"Content-Type": "a" + ESCAPES}))
    text = sse.at_terminal("replay", "--no-wait", *flags, path).stdout.wait_for_end().decode("utf-8", "replace")
    assert "shown" in text or flags == ("--info",)
    assert not {"\x07", "\u009b", "\u202e", "\x7f"} & set(text) and "\x1b[31m" not in text


# ---- time on the loop, and times at the extremes

def test_a_recording_of_blank_lines_does_not_stop_the_loop(sse, wire, tmp_path):
    (tmp_path / "long.jsonl.gz").write_bytes(gzip.compress(HEAD.encode() + b"\n" * 100_000_000, 1))
    recording(tmp_path / "short.jsonl", {"t": 0, "data": "short"})
    server = sse.replay(tmp_path)
    slow = wire.get(server.url + "long")
    assert [event.data for event in wire.get(server.url + "short").events()] == ["short"]
    assert not select.select([slow.sock], [], [], 0)[0]  # its end has not come: it is being read


def test_a_loop_ends_with_an_error_before_its_time_overflows(sse, tmp_path):
    path = recording(tmp_path / "r.jsonl", {"t": 0, "data": "a"}, {"t": 1_000_000_000, "data": "b"})
    ran = sse.run("replay", "--stdout", "--no-wait", "--loop", path)
    assert (ran.status, ran.out.count(b"data: b")) == (3, 3154)
    assert ran.err.splitlines()[0] == f"sse: error: {path}: lap 3155 would begin more than 100000 years after the start"
    ran = sse.run("replay", "--loop", "30", "--to", "jsonl", path)
    assert ran.status == 3 and "exceeds the maximum of 1000000000 s" in ran.err


def test_a_bad_reconnection_time_is_bounded(sse, tmp_path):
    path = recording(tmp_path / "r.jsonl", {"t": 0, "retry": 9_223_372_036_854_775_807})
    assert played(sse, path) == b"retry: 2147483647\n\n"


def test_a_client_that_names_any_lap_is_answered(sse, wire, tmp_path):
    path = recording(tmp_path / "r.jsonl", {"t": 0, "id": "1", "data": "a"}, {"t": 1_000_000_000, "data": "b"})
    server = sse.replay(path, "--no-wait", "--loop")
    answer = wire.get(server.url, headers={"Last-Event-ID": f"1@{2**64 - 1}"})
    try:
        answer.read_all()
    except Cut:
        pass
    assert answer.status == 200 and b"data: b" in answer.body
