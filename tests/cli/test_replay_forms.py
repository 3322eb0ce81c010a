"""What else replay reads: event-stream text, captures of curl, HAR files, what is still being written."""
import base64
import contextlib
import gzip
import json
import os
import re
import subprocess
import threading

import pytest

from support.deadline import HANG
from support.recording import HEAD, recording
from support.wire import Cut

TEXT = b": hi\n\nretry: 5\n\nevent: add\ndata: a\ndata: b\nid: 1\n\ndata: \xe2\x82\xac\nid: 2\n\n"


def har(*entries):
    return json.dumps({"log": {"version": "1.2", "creator": {}, "entries": list(entries)}}, indent=1).encode()


def entry(url="https://x.example/feed?a=1", method="GET", **content):
    more = {"_eventSourceMessages": content.pop("messages")} if "messages" in content else {}
    return {"startedDateTime": "2026-11-22T05:00:00.250Z",
            "request": {"method": method, "url": url, "headers": [{"name": ":path", "value": "/"}]},
            "response": {"status": 200, "headers": [{"name": "X-A", "value": "b"}, {"name": "X-A", "value": "c\nd"}],
                         "content": {"mimeType": "text/event-stream; charset=utf-8", **content}}, **more}


MESSAGES = [{"time": 1795323600.5, "eventName": "add", "eventId": "1", "data": "a\nb"},
            {"time": 1795323602.25, "eventName": "message", "eventId": "", "data": "\u20ac"}]
CURL = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n" + TEXT


@pytest.mark.parametrize("how", ["file", "gzip", "stdin"])
@pytest.mark.parametrize("data, played", [
    (TEXT, TEXT), (CURL, TEXT),
    (har(entry(messages=MESSAGES)), b"event: add\ndata: a\ndata: b\nid: 1\n\ndata: \xe2\x82\xac\n\n"),
    (har({"request": {}}, entry(text=TEXT.decode())), TEXT),
    (har(entry(text=base64.b64encode(TEXT).decode(), encoding="base64")), TEXT),
], ids=["text", "curl -i", "HAR messages", "HAR body", "HAR base64"])
def test_a_stream_in_another_form_is_played(sse, tmp_path, data, played, how):
    path = tmp_path / "capture"
    path.write_bytes(gzip.compress(data) if how == "gzip" else data)
    ran = sse.run("replay", "--stdout", "--no-wait", *(("-",) if how == "stdin" else (path,)),
                  input=data if how == "stdin" else b"")
    assert (ran.status, ran.out, ran.err) == (0, played, "")


def test_what_curl_captures_is_played(sse, tmp_path):
    server = sse.serve("--input", "sse", input=TEXT)
    done = subprocess.run(["curl", "-siN", server.url], capture_output=True, timeout=HANG, check=True)
    path = tmp_path / "capture.sse"
    path.write_bytes(done.stdout)
    ran = sse.run("replay", "--stdout", path)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith(TEXT.partition(b"\n\n")[2].partition(b"\n\n")[2])


def test_the_head_of_a_capture_is_that_of_the_answer(sse, wire, tmp_path):
    path = tmp_path / "capture"
    path.write_bytes(CURL)
    answer = wire.get(sse.replay(path).url)
    assert (answer.header("x-a"), answer.read_all()) == ("b", TEXT)


def test_text_has_the_times_that_it_is_given(sse, tmp_path):
    path = tmp_path / "r.sse"
    path.write_bytes(b"data: a\n\ndata: b\n\ndata: c\n\n")
    ran = sse.start("replay", "--stdout", path, "--interval", "600s")
    ran.stdout.wait_for("data: a\n\n")
    assert ran.running


def test_a_client_resumes_within_text(sse, wire, tmp_path):
    path = tmp_path / "r.sse"
    path.write_bytes(TEXT)
    server = sse.replay(path)
    assert wire.get(server.url, headers={"Last-Event-ID": "1"}).read_all() == TEXT[TEXT.index(b"id: 1\n\n") + 7:]
    assert wire.get(server.url, headers={"Last-Event-ID": "2"}).status == 204


def test_the_streams_of_a_har_file_are_routes(sse, wire, tmp_path):
    path = tmp_path / "x.har"
    path.write_bytes(har(entry("https://x.example/a", messages=MESSAGES[:1]),
                         entry("https://x.example/b", "POST", text="data: b\n\n")))
    server = sse.replay(tmp_path, "--no-wait")
    answer = wire.get(server.url + "a")
    assert answer.all("x-a") == ["b", "c", "d"]
    assert answer.read_all() == b"event: add\ndata: a\ndata: b\nid: 1\n\n"
    assert wire.request(server.url + "b", "POST", body=b"").read_all() == b"data: b\n\n"


@pytest.mark.parametrize("data, message", [
    (har(), "F: the HAR file contains no event stream"),
    (har({"request": {}, "response": {"content": {"mimeType": "text/html", "text": "x"}}}),
     "F: the HAR file contains no event stream"),
    (b'{"log": {}}', "F: the HAR file has no entries"),
    (b'{"log": {"entries": [', "F: not a HAR file: "),
    (b"HTTP/1.1 200 OK\r\nfoo\r\n\r\n", "F:2: not a header field"),
    (b"hello\n", "F:1: not a recording: not a JSON object"),
])
def test_what_cannot_be_played_is_named_with_its_place(sse, tmp_path, data, message):
    path = tmp_path / "bad"
    path.write_bytes(data)
    for flags in (("--stdout",), ("--listen", "127.0.0.1:0")):
        ran = sse.run("replay", path, *flags)
        assert ran.status == 3
        assert ran.err.startswith("sse: error: " + message.replace("F", str(path), 1))
        assert "\nsse: hint: " in ran.err


def test_an_unfinished_event_at_the_end_of_text_is_a_warning(sse, tmp_path):
    path = tmp_path / "r.sse"
    path.write_bytes(b"data: a\n\ndata: b\n")
    ran = sse.run("replay", "--stdout", path)
    assert (ran.status, ran.out) == (0, b"data: a\n\n")
    assert ran.err == f"sse: warning: {path}:4: the last event is incomplete and was skipped\n"


# ---- what grows

def append(path, text):
    with open(path, "a") as file:
        file.write(text)


@pytest.mark.parametrize("form, lines", [
    ("recording", ['{"t":0,"data":"%s"}\n']), ("text", ["data: %s\n", "\n"])])
def test_a_recording_is_played_while_it_is_written(sse, wire, tmp_path, form, lines):
    path = tmp_path / "r"
    path.write_text('{"sse":1}\n' if form == "recording" else ": hi\n\n")
    server = sse.replay(path, "--follow", "--no-comments")
    printed = sse.start("replay", "--stdout", path, "-f")
    answer = wire.get(server.url)
    for text in "abc":
        for line in lines:
            append(path, line.replace("%s", text))
        assert answer.events("abc".index(text) + 1)[-1].data == text
        printed.stdout.wait_for(f"data: {text}\n\n")
    late = wire.get(server.url)
    assert [event.data for event in late.events(3)] == ["a", "b", "c"]
    assert printed.running and not late.ended


def test_a_recorder_can_be_piped_into_a_server(sse, wire, origin):
    """sse tail --record - | sse replay --follow -"""
    go = threading.Semaphore(0)

    def handler(connection):
        connection.head("200 OK")
        for text in "abc":
            go.acquire(timeout=HANG)
            connection.chunk(f"data: {text}\n\n")
        go.acquire(timeout=HANG)
        connection.end()
    reading, writing = os.pipe()
    sse.start("tail", origin(handler).url, "--no-reconnect", "--record", "-", stdout=writing)
    server = sse.replay("-", "--follow", stdin=reading)
    os.close(reading)
    os.close(writing)
    answer = wire.get(server.url)
    for i, text in enumerate("abc", 1):
        go.release()
        assert answer.events(i)[-1].data == text
    go.release()  # the recorder ends, and so does the stream
    assert answer.read_all() and answer.ended


@pytest.mark.parametrize("lines", [['{"sse":1}\n', '{"t":0,"data":"a"}\n'], [":\n\n", "data: a\n", "\n"]])
def test_what_comes_through_a_pipe_is_printed_as_it_comes(sse, lines):
    printing = sse.start("replay", "--stdout", "-")
    for line in lines:
        printing.write(line)
    printing.stdout.wait_for("data: a\n\n")
    assert printing.running


@pytest.mark.parametrize("flags", [("--stdout",), ("--to", "sse"), ("--stdout", "--loop", "1", "--from", "id:1")])
def test_standard_input_is_followed_to_its_end(sse, flags):
    ran = sse.run("replay", "--no-wait", "--follow", *flags, "-", input=HEAD.encode() + b'{"t":0,"id":"1","data":"a"}\n'
                                                                                   b'{"t":0,"data":"b"}\n')
    assert ran.status == 0 and ran.out.endswith(b"data: b\n\n")


def test_a_gzipped_file_cannot_be_followed(sse, tmp_path):
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"sse":1}\n'))
    ran = sse.run("replay", "--stdout", path, "--follow")
    assert (ran.status, ran.err.splitlines()[0]) == (
        3, f"sse: error: {path}: gzipped files cannot be followed while they grow")


def test_a_file_that_is_cut_while_it_is_played_is_an_error(sse, tmp_path):
    path = recording(tmp_path / "r", *({"t": 0, "data": "x" * 1000} for _ in range(3000)))
    reading, writing = os.pipe()
    playing = sse.start("replay", "--stdout", path, stdout=writing)
    os.close(writing)
    os.read(reading, 1)  # it has begun, and cannot end before somebody reads on
    os.truncate(path, 3)
    while os.read(reading, 65536):
        pass
    os.close(reading)
    assert playing.wait() == 3
    error, hint = playing.stderr.text().splitlines()
    assert re.fullmatch(rf"sse: error: {path}:\d+: the file was truncated to 3 bytes while it was read", error)
    assert hint.startswith("sse: hint: ")


@pytest.mark.parametrize("flags", [(), ("--shared",)])
def test_so_it_is_while_it_is_served_and_others_are_served_on(sse, wire, tmp_path, flags):
    path = recording(tmp_path / "r" / "a.jsonl", *({"t": 0, "data": "x" * 1000} for _ in range(30_000)))
    recording(tmp_path / "r" / "b.jsonl", {"t": 0, "data": "b"})
    server = sse.replay(tmp_path / "r", "--no-wait", *flags)
    answer = wire.get(server.url + "a")
    answer.events(1)  # it has begun, and cannot end before somebody reads on
    os.truncate(path, 3)
    with contextlib.suppress(Cut):
        answer.read_all()
    assert len(answer.body) < 30_000 * 1000
    server.stderr.wait_for(rf"^sse: warning: {path}:\d+: the file was truncated to 3 bytes while it was read$")
    assert [event.data for event in wire.get(server.url + "b").events()] == ["b"]
