"""sse tail --exec: a command for each event."""
import os
import threading

import pytest

from support.deadline import HANG, poll
from support.steps import stream


def numbers(count):
    return "".join(f"id: {i}\ndata: {i}\n\n" for i in range(count))


WIRE = "event: add\nid: 7\ndata: one\ndata: two\n\ndata: $(touch x) 'y' \"z\"\n\n"


def test_what_a_command_is_given(sse, origin, tmp_path):
    """The data is never code."""
    command = 'echo "[$SSE_EVENT|$SSE_ID|$SSE_DATA]"; cat; pwd'
    tail = sse.run("tail", stream(origin, WIRE).url, "--no-reconnect", "--exec", command, cwd=tmp_path)
    assert (tail.status, tail.err) == (0, "")
    assert tail.out.decode() == (
        f"[add|7|one\ntwo]\none\ntwo\n{tmp_path}\n"
        f"[message|7|$(touch x) 'y' \"z\"]\n$(touch x) 'y' \"z\"\n{tmp_path}\n")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("args, out", [
    ([], "X\nX\n"),
    (["-o", "data"], "one\ntwo\nX\n$(touch x) 'y' \"z\"\nX\n"),
    (["-F", "{event}"], "add\nX\nmessage\nX\n"),
    (["-e", "add"], "X\n"),
    (["--grep", "touch"], "X\n"),
    (["-n", "1"], "X\n"),
    (["--until", "add"], "X\n"),
])
def test_with_what_else_is_asked_for(sse, origin, args, out):
    tail = sse.run("tail", stream(origin, WIRE).url, "--no-reconnect", "--exec", "echo X", *args)
    assert (tail.status, tail.out.decode(), tail.err) == (0, out, "")


def test_several_urls_say_which(sse, origin):
    a = stream(origin, "data: 1\n\n")
    tail = sse.run("tail", "--name", f"a={a.url}", "--no-reconnect", "--exec", "echo $SSE_SOURCE")
    assert tail.out == b"a\n"


def test_one_after_the_other(sse, origin, tmp_path):
    """Each ends before the next begins, and all before sse does."""
    command = f"echo begin $SSE_ID >> {tmp_path}/log; sleep 0.0$((RANDOM % 3)) ; echo end $SSE_ID >> {tmp_path}/log"
    assert sse.run("tail", stream(origin, numbers(20)).url, "-n", "20", "--exec", command).status == 0
    expected = [f"{word} {i}" for i in range(20) for word in ("begin", "end")]
    assert (tmp_path / "log").read_text().splitlines() == expected


def test_jobs_are_that_many_at_a_time(sse, origin, tmp_path):
    """Three wait for each other; the fourth begins once one has ended."""
    command = (f"touch {tmp_path}/begun.$SSE_ID; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; "
               f"touch {tmp_path}/ended.$SSE_ID")
    tail = sse.start("tail", stream(origin, numbers(5)).url, "-n", "5", "--exec", command, "--jobs", "3")
    poll("three", lambda: len(os.listdir(tmp_path)) == 3)
    assert sorted(os.listdir(tmp_path)) == ["begun.0", "begun.1", "begun.2"]
    (tmp_path / "go").touch()
    assert tail.wait() == 0
    assert len(os.listdir(tmp_path)) == 11


def test_while_a_command_runs_the_stream_is_not_read(sse, origin, tmp_path):
    sent = []

    def handler(c):
        c.head()
        for _ in range(1000):
            c.chunk("data: " + "x" * 100_000 + "\n\n")
            sent.append(1)
    os.mkfifo(tmp_path / "go")
    tail = sse.start("tail", origin(handler).url, "-n", "1000", "--exec", f"read x < {tmp_path}/go; exit 0")
    poll("some", lambda: len(sent) > 3)
    poll("a standstill", lambda before=[None]: before[0] == (before.__setitem__(0, len(sent)) or len(sent)), every=0.3)
    assert len(sent) < 200 and tail.rss_kib() < 64 * 1024
    tail.signal(15)
    assert tail.wait() == 143


def test_a_command_is_out_before_the_next_event_comes(sse, origin):
    seen = threading.Event()

    def handler(c):
        c.head()
        c.chunk("data: 1\n\n")
        assert seen.wait(HANG)
        c.chunk("data: 2\n\n")
        c.end()
    tail = sse.start("tail", origin(handler).url, "--no-reconnect", "--exec", "cat")
    tail.stdout.wait_for("^1$")
    seen.set()
    assert (tail.wait(), tail.stdout.bytes) == (0, b"1\n2\n")


@pytest.mark.parametrize("command, why", [
    ("exit 3", "exited with status 3"),
    ("kill -9 $$", "was killed by signal 9"),
    ("no-such-command-anywhere 2>/dev/null", "exited with status 127"),
])
def test_failures_are_reported(sse, origin, command, why):
    server = stream(origin, "event: add\nid: 7\ndata: x\n\ndata: y\n\n")
    tail = sse.run("tail", server.url, "--no-reconnect", "--exec", command)
    assert tail.status == 0
    assert tail.err == (f"sse: warning: the command for add #7 {why}\n"
                        f"sse: warning: the command for message #7 {why}\n")
    tail = sse.run("tail", server.url, "--no-reconnect", "--exec", command, "--exec-fail", "stop")
    assert tail.status == 1
    assert tail.err == f"sse: error: the command for add #7 {why}\nsse: hint: use --exec-fail warn to continue after a failure\n"


def test_stop_runs_nothing_further(sse, origin, tmp_path):
    command = f"echo $SSE_ID >> {tmp_path}/log; [ $SSE_ID != 3 ]"
    tail = sse.run("tail", stream(origin, numbers(20), end=False).url, "--exec", command, "--exec-fail", "stop")
    assert tail.status == 1
    assert (tmp_path / "log").read_text() == "0\n1\n2\n3\n"


@pytest.mark.parametrize("data", ["x" * 65_537, "x" * 5_000_000, "a\u0000b"],
                         ids=["64 KiB", "5 MB", "NUL"])
def test_what_no_variable_can_hold_is_on_stdin(sse, origin, data):
    tail = sse.run("tail", stream(origin, f"data: {data}\n\n").url, "--no-reconnect", "--exec",
                   "echo ${SSE_DATA-none}; cat", env={"SSE_DATA": "not ours"})
    assert (tail.status, tail.err) == (0, "")
    assert tail.out.decode() == f"none\n{data}\n"


def test_an_environment_that_is_full_is_a_failure_of_the_event(sse, origin):
    """E2BIG: what we add fits by itself, and not beside what is there."""
    env = {f"BIG{i}": "x" * 120_000 for i in range(17)}
    tail = sse.run("tail", stream(origin, "data: " + "x" * 60_000 + "\n\n" * 2).url, "--no-reconnect", "--exec", "cat",
                   env=env)
    if tail.err:  # as much as fits differs from system to system
        assert "sse: warning: the command for message could not be run: Argument list too long" in tail.err
    assert tail.status == 0


def test_a_command_that_does_not_read_is_none_the_worse(sse, origin):
    tail = sse.run("tail", stream(origin, "data: " + "x" * 5_000_000 + "\n\n", "data: y\n\n").url, "--no-reconnect",
                   "--exec", "echo done")
    assert (tail.status, tail.out, tail.err) == (0, b"done\ndone\n", "")


@pytest.mark.parametrize("command", ["sleep 1000", "trap '' TERM; sleep 1000; sleep 1000", "cat /dev/zero > /dev/null"])
def test_a_signal_ends_the_command_too(sse, origin, tmp_path, command):
    tail = sse.start("tail", stream(origin, "data: " + "x" * 1_000_000 + "\n\n", end=False).url, "--exec",
                     f"echo $$ > {tmp_path}/pid; {command}")
    pid = int(poll("a pid", lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    tail.signal(15)
    assert tail.wait() == 143
    poll("its end", lambda: not os.path.exists(f"/proc/{pid}"))


def test_no_descriptor_but_the_standard_ones_is_the_commands(sse, origin, tmp_path):
    """Or it would hold the stream open behind our back."""
    tail = sse.run("tail", stream(origin, numbers(3)).url, "--no-reconnect", "--exec", "ls -C /proc/$$/fd", "--jobs", "3",
                   "--record", tmp_path / "r", "--state", tmp_path / "s", "--stats-file", tmp_path / "t")
    assert (tail.status, tail.out.split()) == (0, [b"0", b"1", b"2"] * 3), tail.err


def test_usr1_and_sigpipe_are_as_usual_in_the_command(sse, origin):
    command = "(kill -USR1 $(sh -c 'echo $PPID'); echo alive) ; yes | head -1"
    tail = sse.run("tail", stream(origin, "data: x\n\n").url, "--no-reconnect", "--stats", "--exec", command)
    assert tail.out == b"y\n"
    assert "broken pipe" not in tail.err.lower()


def test_a_state_has_only_what_was_done(sse, origin, tmp_path):
    state = tmp_path / "state"
    server = stream(origin, numbers(5), end=False)
    args = ["tail", server.url, "--state", state, "--exec", "[ $SSE_ID != 3 ]", "--exec-fail", "stop"]
    assert sse.run(*args).status == 1
    assert not state.exists() or '"last_event_id":"2"' in state.read_text()
    tail = sse.start("tail", server.url, "--state", state, "--exec", "true")
    poll("the state", lambda: state.exists() and '"last_event_id":"4"' in state.read_text())
    tail.signal(15)
    assert tail.wait() == 143
