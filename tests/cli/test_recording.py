"""Recordings as they are made: by the schema, and by recorders that die."""
import gzip
import json
import os
import random
import select
import signal
from pathlib import Path

import jsonschema
import pytest
from support.deadline import poll

SCHEMA = json.loads((Path(__file__).parents[2] / "man" / "sse-recording.schema.json").read_text())
STREAM = b": hi\n\nretry: 5000\n\nevent: add\ndata: a\ndata: b\nid: 1\n\nid: 2\n\ndata: \xe2\x80\xa8\xff\n\n"


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


def killed_when(path, recorder, size, output=None):
    """Kills -9 once the recording has so many bytes. `output`: a pipe that takes all it prints, which is read no faster
    than that, so that the recorder is not far ahead however slow this is."""
    while not path.exists() or path.stat().st_size <= size:
        assert recorder.running
        if output is not None and select.select([output], [], [], 0)[0]:
            os.read(output, 1024)
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait()


def whole(path, ran):
    """What a recording that was cut anywhere must be: played to its last whole line, or empty and said to be so."""
    if path.stat().st_size == 0:  # killed between making the file and its first line
        assert (ran.status, ran.err.splitlines()[0]) == (3, f"sse: error: {path}: the file is empty: nothing was recorded")
        return 0
    assert ran.status == 0
    assert ran.err == "" or ran.err.endswith("the last line is incomplete and was skipped\n")
    assert ran.err.count("\n") <= 1
    return ran.out.count(b"data: ")


@pytest.mark.parametrize("flags", [(), ("--bytes",)])
def test_a_recorder_killed_at_any_moment_leaves_a_recording_that_replays(sse, tmp_path, flags):
    path = tmp_path / "r.jsonl"
    server = sse.serve("--on-eof", "hold", "--history", "100000",
                       input=b"".join(b"line %d\n" % i for i in range(100_000)))
    dice, lengths = random.Random(5), set()
    for size in [-1, *(dice.randrange(3_000_000) for _ in range(5))]:
        path.unlink(missing_ok=True)
        output, end = os.pipe()
        recorder = sse.start("tail", server.url, "--record", path, *flags, stdout=end)
        os.close(end)
        killed_when(path, recorder, size, output)
        os.close(output)
        lengths.add(path.stat().st_size)
        events = whole(path, sse.run("replay", "--stdout", "--no-wait", path))
        assert events > 0 or size < 1000
    assert len(lengths) > 2


def test_a_server_that_records_and_is_killed_leaves_one_too(sse, tmp_path):
    path, dice = tmp_path / "r.jsonl", random.Random(7)
    for size in (dice.randrange(400_000) for _ in range(3)):
        path.unlink(missing_ok=True)
        server = sse.serve("--record", path, "--overflow", "drop",
                           input=b"".join(b"line %d\n" % i for i in range(100_000)))
        killed_when(path, server, size)
        assert whole(path, sse.run("replay", "--stdout", "--no-wait", path)) > 0


@pytest.mark.parametrize("flags", [(), ("--bytes",)])
def test_a_recorder_that_gzips_can_be_killed_too(sse, tmp_path, flags):
    path = tmp_path / "r.jsonl.gz"
    server = sse.serve()
    recorder = sse.start("tail", server.url, "--record", path, *flags)

    def played():
        ran = sse.run("replay", "--stdout", "--no-wait", path)
        assert ran.err.endswith("the gzip data ends early\n") or ran.status == 3
        return ran.out.count(b"data: ")

    for n in 1, 2, 3:
        server.write("x" * 1000 + "\n")
        poll("the line", lambda: path.exists() and played() == n)
    recorder.signal(signal.SIGKILL)
    recorder.wait()
    assert played() == 3 and path.stat().st_size < 2000
    whole = sse.start("tail", server.url, "--record", path, "-n", "3", *flags)
    assert whole.wait() == 0
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert json.loads(lines[0])["sse"] == 1 and "close" not in lines[-1]
    assert sse.run("replay", "--info", path).status == 0


def test_a_recording_cut_anywhere_is_played_to_the_cut_or_said_to_be_empty(sse, origin, tmp_path):
    path = tmp_path / "r.jsonl"
    sse.run("tail", serve_bytes(origin, STREAM).url, "--no-reconnect", "--record", path)
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    for size in [0, 1, first // 2, first - 1, *range(first, len(data), 7)]:
        path.write_bytes(data[:size])
        ran = sse.run("replay", "--stdout", "--no-wait", path)
        if 0 < size < first - 1:
            assert (ran.status, "the first line is incomplete: nothing was recorded" in ran.err) == (3, size > 6)
        else:
            whole(path, ran)


BODY = b'{"messages":["\xc3\xa9"]}'


def test_bytes_keep_each_read_and_replay_gives_each_again(sse, origin, wire, tmp_path):
    """Chunks that cut characters, line ends and fields: what comes out again is cut in the same places."""
    chunks = [b"\xef\xbb", b"\xbfda", b"ta: \xc3", b"\xa9\r", b"\n\r\n", b"data: \xff\n\nid: 7\n", b"bogus\n\n", b"data: unfinished"]

    def handler(connection):
        connection.head("200 OK")
        for chunk in chunks:
            connection.chunk(chunk)
        connection.end()
    path = tmp_path / "r.jsonl"
    ran = sse.run("tail", origin(handler).url, "--no-reconnect", "--record", path, "--bytes", "-o", "json")
    assert [json.loads(line)["data"] for line in ran.out.splitlines()] == ["\u00e9", "\ufffd"]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        jsonschema.validate(line, SCHEMA)
    assert all(set(line) & {"bytes", "base64", "close"} for line in lines[1:])
    assert sse.run("replay", "--stdout", "--no-wait", path).out == b"".join(chunks)
    answer = wire.get(sse.replay(path, "--no-wait").url)
    assert [answer.more() for _ in chunks] == chunks
    assert answer.more() == b"" and answer.ended


def test_bytes_are_whole_reads_even_where_raw_output_stops_within_one(sse, origin, tmp_path):
    path = tmp_path / "r.jsonl"
    server = serve_bytes(origin, b"data: 1\n\ndata: 2\n\ndata: 3\n\n")
    ran = sse.run("tail", server.url, "-n", "2", "-o", "raw", "--record", path, "--bytes")
    assert ran.out == b"data: 1\n\ndata: 2\n\n"
    assert json.loads(path.read_text().splitlines()[1])["bytes"] == "data: 1\n\ndata: 2\n\ndata: 3\n\n"


@pytest.mark.parametrize("body, key, kept", [(BODY, "body", BODY.decode()), (b"\xff\xfe", "body_base64", "//4=")])
def test_the_body_of_the_request_is_recorded_if_asked_for(sse, origin, tmp_path, body, key, kept):
    (tmp_path / "body").write_bytes(body)
    for flags, wanted in (((), None), (("--record-body",), kept)):
        path = tmp_path / "r.jsonl"
        sse.run("tail", serve_bytes(origin, STREAM).url, "--no-reconnect", "--record", path,
                "--json", f"@{tmp_path / 'body'}", *flags)
        request = json.loads(path.read_text().splitlines()[0])["request"]
        assert (request["method"], request.get(key)) == ("POST", wanted)


SECRETS = ["-H", "Authorization: Bearer s3cret", "-H", "X-Api-Key: s3cret", "-H", "X-Goog-Api-Key: s3cret",
           "-H", "Ocp-Apim-Subscription-Key: s3cret", "-H", "Private-Token: s3cret", "-H", "Cookie: a=s3cret",
           "-H", "Proxy-Authorization: s3cret", "-H", "Referer: http://u:s3cret@h/?sig=s3cret"]


@pytest.mark.parametrize("flags, hidden", [((), True), (("--no-mask",), False)])
def test_secrets_are_masked_unless_told_otherwise(sse, origin, tmp_path, flags, hidden):
    def handler(connection):
        connection.head("200 OK", "Set-Cookie: s3cret", "X-Csrf-Token: s3cret", "Location: /?access_token=s3cret")
        connection.end()
    path = tmp_path / "r.jsonl"
    url = origin(handler).url + "x?key=s3cret&q=open&auth_token=s3cret"
    sse.run("tail", url, "--no-reconnect", "--record", path, *flags, *SECRETS)
    text = path.read_text()
    assert text.count("s3cret") == (0 if hidden else 14)
    assert "q=open" in text
    assert hidden or path.stat().st_mode & 0o777 == 0o600


def test_a_recording_to_stdout_is_all_that_is_there(sse, origin, tmp_path):
    ran = sse.run("tail", serve_bytes(origin, STREAM).url, "--no-reconnect", "-n", "1", "--record", "-")
    assert ran.status == 0
    assert [next(iter(json.loads(line))) for line in ran.out.splitlines()][:2] == ["sse", "t"]
    played = sse.run("replay", "--stdout", "-", input=ran.out)
    assert played.out.startswith(b": hi\n\n")
    both = sse.run("tail", ":1", "--record", "-", "-o", "json")
    assert (both.status, both.err.splitlines()[0]) == (
        2, "sse: error: --record - and an output format both use standard output")


def test_a_reader_of_the_recording_that_goes_ends_it_quietly(sse, origin, tmp_path):
    def handler(connection):
        connection.head("200 OK")
        while True:
            connection.chunk(b"data: " + b"x" * 1000 + b"\n\n")
    reading, writing = os.pipe()
    tail = sse.start("tail", origin(handler).url, "--record", "-", stdout=writing)
    os.close(writing)
    assert os.read(reading, 7) == b'{"sse":'
    os.close(reading)
    assert (tail.wait(), tail.stderr.text()) == (0, "")


def test_what_goes_with_record_needs_it(sse):
    for flag in ("--bytes", "--record-body", "--no-mask"):
        assert sse.run("tail", ":1", flag).status == 2
