"""sse replay --info and --to: a recording in numbers, and in another form."""
import json
import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest

from support.recording import HEAD, recorded, recording

SCHEMA = json.loads((Path(__file__).parents[2] / "man" / "sse-recording.schema.json").read_text())
LINES = ({"t": 0.5, "event": "add", "id": "7", "data": "a\nb"}, {"t": 1, "comment": " ping"}, {"t": 1, "retry": 3000},
         {"t": 1.5, "close": "reset"}, {"t": 2, "open": {"status": 200, "headers": {}, "last_event_id": "7"}},
         {"t": 2.5, "data": "\u20ac"}, {"t": 3, "close": "eof"})
TEXT = "event: add\ndata: a\ndata: b\nid: 7\n\n: ping\n\nretry: 3000\n\ndata: \u20ac\n\n".encode()
REQUEST = recorded("POST", "https://x.example/feed?token=secret", "{}", 201,
                   **{"Content-Type": "text/event-stream", "X-Api-Key": "secret", "Transfer-Encoding": "chunked"})


@pytest.fixture
def path(tmp_path):
    return recording(tmp_path / "r.jsonl", *LINES, head={"started": "2026-11-22T05:00:00.250Z", **REQUEST})


def lines_of(ran):
    assert (ran.status, ran.err) == (0, "")
    return [json.loads(line) for line in ran.out.splitlines()]


def test_a_recording_as_a_recording_is_the_same_without_secrets(sse, path):
    lines = lines_of(sse.run("replay", path, "--to", "jsonl"))
    assert lines[1:] == list(LINES)
    assert lines[0]["request"] == {"method": "POST", "headers": {}, "body": "{}"}
    assert lines[0]["response"]["headers"]["X-Api-Key"] == "***"
    assert lines[0]["url"].endswith("?token=***")
    for line in lines:
        jsonschema.validate(line, SCHEMA)


def test_as_event_stream_text_and_as_curl_prints_it(sse, path):
    assert sse.run("replay", path, "--to", "sse").out == TEXT
    head, _, body = sse.run("replay", path, "--to", "curl").out.partition(b"\r\n\r\n")
    assert head == b"HTTP/1.1 201\r\nContent-Type: text/event-stream\r\nX-Api-Key: ***"
    assert body == TEXT


def test_as_a_har_file(sse, path, tmp_path):
    ran = sse.run("replay", path, path, "--to", "har")
    log = json.loads(ran.out)["log"]
    assert (ran.status, ran.err, log["version"], len(log["entries"])) == (0, "", "1.2", 2)
    entry = log["entries"][0]
    start = datetime.fromisoformat("2026-11-22T05:00:00.250+00:00").timestamp()
    assert [{**m, "time": round(m["time"] - start, 6)} for m in entry["_eventSourceMessages"]] == [
        {"time": 0.5, "eventName": "add", "eventId": "7", "data": "a\nb"},
        {"time": 2.5, "eventName": "message", "eventId": "", "data": "\u20ac"}]
    assert entry["startedDateTime"] == "2026-11-22T05:00:00.250Z"
    assert (entry["request"]["method"], entry["response"]["status"], entry["time"]) == ("POST", 201, 3000)
    assert b"secret" not in ran.out
    (tmp_path / "x.har").write_bytes(ran.out)
    again = sse.run("replay", tmp_path / "x.har", "--to", "har")
    first, second = ([(e["_eventSourceMessages"], e["request"], e["startedDateTime"])
                      for e in json.loads(out)["log"]["entries"]] for out in (ran.out, again.out))
    assert first == second


EVENTS = [(0.5, "add", "7", "a\nb"), (2.5, "message", None, "\u20ac")]


@pytest.mark.parametrize("form", ["jsonl", "sse", "har", "curl"])
def test_every_form_is_read_back(sse, path, tmp_path, form):
    (tmp_path / "copy").write_bytes(sse.run("replay", path, "--to", form).out)
    lines = lines_of(sse.run("replay", tmp_path / "copy", "--to", "jsonl"))
    events = [(line["t"], line.get("event", "message"), line.get("id"), line["data"]) for line in lines if "data" in line]
    timed = form in ("jsonl", "har")
    assert events == [e if timed else (0, *e[1:]) for e in EVENTS]


@pytest.mark.parametrize("flags, times", [
    (("--speed", "2"), [0.25, 1.25]), (("--max-gap", "250ms"), [0.25, 1.25]), (("--rate", "10"), [0.0, 0.5]),
    (("--from", "1"), [1.5]), (("--to", "1"), [0.5]), (("--from", "id:7"), [2.0]), (("-e", "add"), [0.5]),
    (("--loop", "2", "-e", "add"), [0.5, 3.5]), (("--no-wait",), [0, 0])])
def test_what_is_written_is_what_would_be_played(sse, path, flags, times):
    lines = lines_of(sse.run("replay", path, *flags, "--to", "jsonl"))
    assert [line["t"] for line in lines if "data" in line] == times


def test_recorded_reads_stay_reads_and_are_events_to_a_har_file(sse, tmp_path):
    path = recording(tmp_path / "r", {"t": 1, "bytes": "data: a"}, {"t": 2, "base64": "/wo="}, {"t": 3, "bytes": "\n"})
    assert lines_of(sse.run("replay", path, "--to", "jsonl"))[1:] == [
        {"t": 1, "bytes": "data: a"}, {"t": 2, "base64": "/wo="}, {"t": 3, "bytes": "\n"}]
    assert sse.run("replay", path, "--to", "sse").out == b"data: a\xff\n\n"
    har = json.loads(sse.run("replay", path, "--to", "har").out)
    assert [m["data"] for m in har["log"]["entries"][0]["_eventSourceMessages"]] == ["a\ufffd"]


def test_one_recording_at_a_time(sse, path):
    ran = sse.run("replay", path, path, "--to", "jsonl")
    assert (ran.status, ran.err.splitlines()[0]) == (
        2, "sse: error: --to jsonl can convert only one recording at a time")
    assert "--output-dir DIR" in ran.err
    assert sse.run("replay", path, "--to", "xml").err.startswith("sse: error: --to: \"xml\" is neither a time")


@pytest.mark.parametrize("form", ["jsonl", "har"])
def test_a_reader_that_goes_ends_it_quietly(sse, path, form):
    reading, writing = os.pipe()
    ran = sse.start("replay", path, "--to", form, "--loop", stdout=writing)
    os.close(writing)
    os.read(reading, 10)
    os.close(reading)
    assert (ran.wait(), ran.stderr.text()) == (0, "")


# ---- in numbers

def info(sse, *args, **options):
    ran = sse.run("replay", "--info", *args, **options)
    assert (ran.status, ran.err) == (0, "")
    title, *lines = ran.out.decode().splitlines()
    return title, dict(re.match(r"  ([a-z ]+?)  +(.*)", line).groups() for line in lines)


def test_info_says_what_is_in_a_recording(sse, path):
    assert info(sse, path) == (f"{path}: recording", {
        "request": "POST https://x.example/feed?token=***",
        "response": "201, text/event-stream",
        "started": "2026-11-22T05:00:00.250Z",
        "span": "2.50s, from 500ms to 3.00s",
        "events": "2: 1 add, 1 message",
        "data": "6 bytes; an event p50 3, p99 3, largest 3",
        "ids": "1 of 2 events",
        "gaps": "p50 2.00s, p99 2.00s, longest 2.00s after 500ms",
        "comments": "1", "retries": "1",
        "reconnects": "1, 1 with a last event ID",
        "ends": "1 eof, 1 reset",
        "odd": "1 event has no ID"})


def test_info_of_reads_looks_into_them(sse, tmp_path):
    path = recording(tmp_path / "r", {"t": 0, "bytes": "data: a\nfoo\n"}, {"t": 1, "bytes": "\ndata: b\n\nretry: x\nid: 1"},
                     {"t": 2, "close": "reset"})
    title, lines = info(sse, path)
    assert title.endswith(": recording of reads")
    assert lines["events"] == "2: 2 message"
    assert lines["reads"] == "2, 36 bytes"
    assert lines["odd"] == "1 x unknown field; 1 x retry is not a number; 1 x unfinished block"


def test_info_of_text_on_stdin_and_of_what_is_torn(sse, tmp_path):
    title, lines = info(sse, "-", input=b"data: a\nwhat: b\n\ndata: c")
    assert title == "stdin: event-stream text"
    assert lines["events"] == "1: 1 message"
    assert lines["odd"] == "1 x unknown field; 1 x unfinished block; " \
                           "stdin:4: the last event is incomplete and was skipped"
    torn = tmp_path / "torn"
    torn.write_text(HEAD + '{"t":1,"data":""}\n{"t":')
    assert info(sse, torn)[1]["odd"] == f"{torn}:3: the last line is incomplete and was skipped"


def test_info_of_many_types_is_short(sse, tmp_path):
    path = recording(tmp_path / "r", *({"t": i, "event": f"type{i % 2000}", "data": "x" * i} for i in range(3000)))
    lines = info(sse, path)[1]
    assert lines["events"].startswith("3000: ") and len(lines["events"]) < 200
    assert re.fullmatch(r"4498500 bytes; an event p50 1\d{3}, p99 29\d\d, largest 2999", lines["data"])


def test_info_of_an_empty_recording(sse, tmp_path):
    assert info(sse, recording(tmp_path / "r"))[1]["events"] == "0"


@pytest.mark.skipif(not shutil.which("jq"), reason="needs jq")
def test_the_examples_of_the_manual_work(path):
    done = subprocess.run(["jq", "-r", 'select(.event == "add").data', path], capture_output=True, check=True)
    assert done.stdout == b"a\nb\n"
