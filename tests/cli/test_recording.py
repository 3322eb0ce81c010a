"""Recordings as they are made: by the schema, and by recorders that die."""
import json
import os
import signal
import subprocess
from pathlib import Path

import jsonschema
import pytest

SCHEMA = json.loads((Path(__file__).parents[2] / "man" / "sse-recording.schema.json").read_text())
STREAM = b": hi\n\nretry: 5000\n\nid: 1\nevent: add\ndata: a\ndata: b\n\nid: 2\n\ndata: \xe2\x80\xa8\xff\n\n"


def serve_bytes(origin, data):
    def handler(connection):
        connection.head("200 OK", "Set-Cookie: a=b", "Set-Cookie: c=d")
        connection.chunk(data)
        connection.end()
    return origin(handler)


def test_what_tail_records_is_what_the_schema_says(sse, origin, tmp_path):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    path = tmp_path / "r.jsonl"
    server = serve_bytes(origin, STREAM)
    sse.run("tail", server.url + "?api_key=x", "--no-reconnect", "--record", path, "-H", "Authorization: Bearer x")
    lines = path.read_text().splitlines()
    assert len(lines) >= 6
    for line in lines:
        jsonschema.validate(json.loads(line), SCHEMA)
    assert "Bearer" not in lines[0] and "a=b" not in lines[0] and "api_key=***" in lines[0]
    played = sse.run("replay", "--stdout", "--no-wait", path).out
    assert played == STREAM.replace(b"\xff", b"\xef\xbf\xbd")


@pytest.mark.parametrize("line", [
    {"sse": 2}, {"t": -1, "data": ""}, {"data": ""}, {"t": 0, "data": 1}, {"t": 0, "event": "x"},
    {"t": 0, "id": "a\nb"}, {"t": 0, "open": {"status": 99}}, {"t": 0, "retry": 1.5}])
def test_the_schema_refuses_what_a_reader_refuses(sse, tmp_path, line):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(line, SCHEMA)
    path = tmp_path / "r.jsonl"
    path.write_text(("" if "sse" in line else '{"sse":1}\n') + json.dumps(line) + "\n")
    assert sse.run("replay", "--stdout", path).status == 3


def test_a_recorder_killed_at_any_moment_leaves_a_recording_that_replays(sse, tmp_path):
    path = tmp_path / "r.jsonl"
    server = sse.serve("--on-eof", "hold", "--history", "100000",
                       input=b"".join(b"line %d\n" % i for i in range(100_000)))
    lengths = set()
    for attempt in range(6):
        path.unlink(missing_ok=True)
        recorder = sse.start("tail", server.url, "--record", path, stdout=subprocess.DEVNULL)
        wanted = attempt * 100_000  # bytes: each is killed at another moment
        while not path.exists() or path.stat().st_size <= wanted:
            assert recorder.running
        os.kill(recorder.pid, signal.SIGKILL)
        recorder.wait()
        if path.stat().st_size == 0:
            continue  # killed between making the file and its first line
        lengths.add(path.stat().st_size)
        ran = sse.run("replay", "--stdout", "--no-wait", path)
        assert ran.status == 0
        assert ran.err == "" or ran.err.endswith("the last line is torn and was skipped\n")
        assert ran.err.count("\n") <= 1
    assert len(lengths) > 2
