"""`sse serve --record`: what is served is also in a file."""
import json
import os
import signal

import pytest
from support.deadline import poll


def read(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return lines[0], lines[1:]


def serve_all(sse, wire, *args, **options):
    server = sse.serve(*args, **options)
    stream = wire.get(server.url)
    events = stream.events()
    stream.close()
    server.status = server.wait()
    return server, events, stream.stream.comments


def test_the_recording_is_what_was_served_with_its_ids(sse, wire, tmp_path):
    path = tmp_path / "run.jsonl"
    text = (b'{"data":"a\\nb"}\n{"event":"e","id":"7","data":"\\u20ac"}\n'
            b'{"comment":" hi"}\n{"retry":4000}\n{"data":{"n":1.50}}\n')
    server, events, _ = serve_all(sse, wire, "--record", path, "--input", "json", input=text)
    assert server.status == 0
    head, lines = read(path)
    assert head["sse"] == 1 and head["started"].endswith("Z")
    recorded = [(e["data"], e.get("event", "message"), e["id"]) for e in lines if "data" in e]
    assert recorded == [(e.data, e.event, e.id) for e in events]
    assert recorded[1] == ("\u20ac", "e", "7") and recorded[2][0] == '{"n":1.50}'
    assert [e["comment"] for e in lines if "comment" in e] == [" hi"]
    assert [e["retry"] for e in lines if "retry" in e] == [4000]
    assert lines[-1]["close"] == "eof"
    times = [e["t"] for e in lines]
    assert times == sorted(times) and times[0] >= 0


def test_it_can_be_replayed(sse, wire, tmp_path):
    path = tmp_path / "run.jsonl"
    _, events, _ = serve_all(sse, wire, "--record", path, input=b"1\n2\n3\n")
    replay = sse.replay("--no-wait", path)
    stream = wire.get(replay.url)
    assert stream.events(3) == events


def test_published_events_are_recorded_too(sse, wire, tmp_path):
    path = tmp_path / "run.jsonl"
    server = sse.serve("--record", path, "--publish")
    answer = wire.request(server.url, "POST", headers={"Content-Type": "text/plain"}, body=b"hello")
    assert answer.status == 201
    server.signal(15)
    server.wait()
    assert [e["data"] for e in read(path)[1] if "data" in e] == ["hello"]


def test_each_line_is_in_the_file_when_the_input_pauses(sse, wire, tmp_path):
    from support.deadline import poll
    path = tmp_path / "run.jsonl"
    server = sse.serve("--record", path)
    for n in range(3):
        server.write(f"{n}\n")
        poll("the line", lambda: len(path.read_text().splitlines()) == n + 2)
    server.signal(9)
    server.wait()
    assert [e["data"] for e in read(path)[1]] == ["0", "1", "2"]


def test_nothing_is_missing_at_full_speed_over_several_loops(sse, wire, tmp_path):
    path = tmp_path / "run.jsonl"
    server, events, _ = serve_all(sse, wire, "--record", path, "--threads", "2", "--overflow", "drop",
                                  "--history", "1000",
                                  input=b"".join(b"%d\n" % n for n in range(30_000)))
    data = [e["data"] for e in read(path)[1] if "data" in e]
    assert data == [str(n) for n in range(30_000)]  # whatever the reader was given


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_told_and_serving_goes_on(sse, wire, tmp_path):
    # The head goes through, and then the disk is full: a limit on the size of files does that.
    path = tmp_path / "run.jsonl"
    script = 'ulimit -f 16; trap "" XFSZ; exec "$0" serve --listen 127.0.0.1:0 --record "$1"'
    server = sse.start_program("bash", "-c", script, sse.binary, path,
                               input=b"".join(b"line %d of some length\n" % n for n in range(5000)))
    url = server.stderr.wait_for(r"^sse: serving (\S+)$")[1]
    stream = wire.get(url)
    assert len(stream.events()) == 5000
    stream.close()
    assert server.wait() == 23
    err = server.stderr.text()
    assert err.count(f"sse: warning: cannot write {path}: File too large; serving continues") == 1
    assert f"sse: error: the recording {path} is incomplete" in err
    lines = read(path)[1]  # every line that is there is whole
    assert 0 < len(lines) < 5000


@pytest.mark.parametrize("args,status,what", [
    (["--record", "/no/such/directory/x"], 23, "cannot create /no/such/directory/x: No such file"),
    (["--record", "/dev/full"], 23, "cannot write /dev/full: No space left on device"),
    (["--record", "x", "--channels"], 2, "--record and --channels cannot"),
    (["--record", "-", "--tee"], 2, "--record - and --tee both write to")])
def test_what_cannot_be_recorded_is_refused_at_once(sse, args, status, what):
    result = sse.run("serve", "--listen", "127.0.0.1:0", *args)
    assert result.status == status
    error, hint = result.err.splitlines()
    assert error.startswith(f"sse: error: {what}") and hint.startswith("sse: hint: ")


def test_a_recording_that_nobody_takes_does_not_outlive_signals(sse, wire):
    reader, writer = os.pipe()  # nobody reads it
    server = sse.serve("--record", "-", stdout=writer)
    os.close(writer)
    stream = wire.get(server.url)
    for _ in range(30):
        server.write("x" * 10_000 + "\n")
    stream.events(30)

    def gone():
        server.signal(signal.SIGTERM)
        return not server.running

    poll("the end", gone)
    assert server.wait() == 128 + signal.SIGTERM
    os.close(reader)


def test_a_stuck_reader_of_the_recording_is_waited_for_within_grace(sse, wire):
    reader, writer = os.pipe()  # nobody reads it
    server = sse.serve("--record", "-", "--grace", "200ms", stdout=writer)
    os.close(writer)
    stream = wire.get(server.url)
    for _ in range(30):
        server.write("x" * 10_000 + "\n")
    stream.events(30)
    stream.close()
    server.signal(signal.SIGTERM)  # once
    assert server.wait() == 23
    assert server.stderr.text().endswith(
        "sse: error: the recording on standard output is incomplete\n"
        "sse: hint: allow its reader more time with --grace\n")
    os.close(reader)


def test_a_slow_reader_of_the_recording_gets_all_within_grace(sse, wire):
    reader, writer = os.pipe()
    server = sse.serve("--record", "-", stdout=writer)
    os.close(writer)
    stream = wire.get(server.url)
    for _ in range(30):
        server.write("x" * 10_000 + "\n")
    stream.events(30)
    stream.close()
    server.signal(signal.SIGTERM)
    with os.fdopen(reader, "rb") as recorded:
        lines = [json.loads(line) for line in recorded]
    assert len([e for e in lines if "data" in e]) == 30 and lines[-1]["close"] == "eof"
    assert server.wait() == 0


@pytest.mark.parametrize("args", [["missing"], ["--listen", "256.0.0.1:0", "in"], ["in", "--history", "0"]])
def test_a_run_that_cannot_begin_leaves_the_old_recording(sse, tmp_path, args):
    (tmp_path / "in").write_text("a\n")
    (tmp_path / "old").write_text("kept\n")
    if "--listen" not in args:
        args = ["--listen", "127.0.0.1:0", *args]
    done = sse.run("serve", "--record", "old", *args, cwd=tmp_path)
    assert done.status != 0 and (tmp_path / "old").read_text() == "kept\n"


def test_an_input_is_not_recorded_onto_itself(sse, tmp_path):
    path = tmp_path / "in"
    path.write_text("a\n")
    done = sse.run("serve", "--listen", "127.0.0.1:0", "--record", path, tmp_path / "." / "in")
    assert done.status == 2 and "sse: hint: " in done.err and path.read_text() == "a\n"
