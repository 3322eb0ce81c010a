"""A log on the web: `tail -f app.log | sse serve`, and those who follow it."""
import json
import os
import threading

import pytest
from support.deadline import poll

pytestmark = pytest.mark.release
LINES = 3000


def test_ten_lines_reach_a_tail_and_both_end_well(sse):
    server = sse.serve(input=b"".join(b"%d\n" % n for n in range(1, 11)))
    tail = sse.run("tail", server.url)
    assert tail.out == b"".join(b"%d\n" % n for n in range(1, 11)), tail.err
    assert tail.status == 0 and tail.err == ""
    assert server.wait() == 0


def test_before_any_client_comes_the_server_waits(sse):
    server = sse.serve(input=b"1\n2\n")
    # its input has ended once the pipe is closed on our side and read on its own
    poll("the end of the input", lambda: server.popen.stdin.closed)
    assert server.running
    assert sse.run("tail", server.url).out == b"1\n2\n"
    assert server.wait() == 0


def whole_lines(process):
    """What a tail has printed; a line that a kill cut is none."""
    return [json.loads(line) for line in process.stdout.bytes.split(b"\n")[:-1]]


def test_a_tail_that_is_killed_and_resumes_misses_nothing_and_repeats_nothing(sse, tmp_path):
    log = tmp_path / "app.log"
    log.touch()
    ours, theirs = os.pipe()
    follow = sse.start_program("tail", "-n", "+1", "-f", log, stdout=theirs)
    server = sse.serve("--wait-clients", "2", stdin=ours)
    os.close(ours), os.close(theirs)

    def grow():
        pause = threading.Event()
        with log.open("a", encoding="utf-8") as file:
            for n in range(LINES):
                file.write(f"2026-11-22T05:00:00 line {n} of a log that grows\n")
                file.flush()
                pause.wait(0.001)  # the pace of the log, not of the test

    steady = sse.start("tail", "-o", "json", server.url)
    killed = sse.start("tail", "-o", "json", server.url)
    writer = threading.Thread(target=grow)
    writer.start()
    killed.stdout.wait("a third of the lines", lambda b: b.count(b"\n") > LINES // 3)
    killed.end_hard()
    seen = whole_lines(killed)
    assert LINES // 3 < len(seen) < LINES
    resumed = sse.start("tail", "-o", "json", "--last-event-id", seen[-1]["id"], server.url)
    writer.join()
    for process in (steady, resumed):
        missing = LINES - (len(seen) if process is resumed else 0)
        process.stdout.wait("the rest", lambda b, n=missing: b.count(b"\n") >= n)
    follow.end_hard()  # the end of the pipe
    assert server.wait() == 0 and steady.wait() == 0 and resumed.wait() == 0
    lines = log.read_text(encoding="utf-8").splitlines()
    assert [event["data"] for event in whole_lines(steady)] == lines
    assert [event["data"] for event in seen + whole_lines(resumed)] == lines
    ids = [event["id"] for event in whole_lines(steady)]
    assert len(set(ids)) == LINES
    assert [event["id"] for event in seen + whole_lines(resumed)] == ids
