"""`sse serve -- COMMAND`: what it prints is served, and it never outlives us."""
import os
import re
import signal
import subprocess

import pytest
from support.deadline import poll


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def run(sse, wire, *command, args=()):
    server = sse.serve(*args, "--", *command)
    stream = wire.get(server.url)
    events = [e.data for e in stream.events()]
    stream.close()
    server.status = server.wait()
    return events, server


def test_what_it_prints_is_served_and_its_flags_are_its_own(sse, wire):
    events, server = run(sse, wire, "printf", "%s\\n", "--strict", "--", "-n")
    assert events == ["--strict", "--", "-n"]
    assert server.status == 0
    assert "warning" not in server.stderr.text()


def test_its_stderr_passes_through(sse, wire):
    events, server = run(sse, wire, "sh", "-c", "echo out; echo to stderr >&2")
    assert events == ["out"]
    assert "\nto stderr\n" in server.stderr.text()


@pytest.mark.parametrize("script,status", [("exit 7", 7), ("kill -TERM $$", 143), ("exit 0", 0)])
def test_its_exit_status_is_ours_and_is_told(sse, wire, script, status):
    events, server = run(sse, wire, "sh", "-c", f"echo a; {script}")
    assert events == ["a"]
    assert server.status == status
    told = f"sse: note: sh ended with status {status}\n" in server.stderr.text()
    assert told == (status != 0)


def test_it_is_an_input_beside_others(sse, wire, tmp_path):
    (tmp_path / "file").write_text("file\n")
    events, _ = run(sse, wire, "echo", "command", args=[tmp_path / "file"])
    assert sorted(events) == ["command", "file"]


def test_it_reads_our_standard_input(sse, wire):
    server = sse.serve("--", "tr", "a-z", "A-Z", input=b"abc\n")
    stream = wire.get(server.url)
    assert [e.data for e in stream.events()] == ["ABC"]
    stream.close()
    assert server.wait() == 0


def test_it_has_the_default_sigpipe(sse, wire):
    # Ours is ignored; inherited, `yes | head` would complain, or never end.
    events, server = run(sse, wire, "sh", "-c", "yes | head -n 2")
    assert events == ["y", "y"] and server.status == 0
    assert "Broken pipe" not in server.stderr.text()


def test_a_script_without_a_first_line_runs_as_in_a_shell(sse, wire, tmp_path):
    script = tmp_path / "script"
    script.write_text("echo $1\n")
    script.chmod(0o755)
    events, _ = run(sse, wire, script, "an argument")
    assert events == ["an argument"]


@pytest.mark.parametrize("name,status,why", [
    ("no-such-program-here", 127, "No such file or directory"),
    ("/no/such/program", 127, "No such file or directory"),
    ("/etc/passwd", 126, "Permission denied"),
    ("/tmp", 126, "Permission denied")])
def test_what_cannot_be_run_is_told_before_anything_is_served(sse, name, status, why):
    result = sse.run("serve", "--listen", "127.0.0.1:0", "--", name)
    assert result.status == status
    error, hint = result.err.splitlines()
    assert error == f"sse: error: cannot run {name}: {why}"
    assert hint.startswith("sse: hint: -- takes a program")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_whole_group_ends_with_us(sse, wire, number):
    server = sse.serve("--", "sh", "-c", "sleep 1000 & echo $!; sleep 1000 & echo $!; echo $$; wait")
    stream = wire.get(server.url)
    pids = [int(e.data) for e in stream.events(3)]
    assert not any(map(gone, pids))
    server.signal(number)
    stream.events()
    stream.close()
    assert server.wait() == 0
    poll("the group is gone", lambda: all(map(gone, pids)))


def test_one_that_will_not_end_is_made_to(sse, wire):
    server = sse.serve("--", "sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.1; done")
    stream = wire.get(server.url)
    pid = int(stream.events(1)[0].data)
    server.signal(signal.SIGTERM)
    stream.close()
    server.wait()
    poll("it is gone", lambda: gone(pid))


@pytest.mark.linux
def test_it_ends_even_if_we_are_killed(sse, wire):
    server = sse.serve("--", "sh", "-c", "echo $$; exec sleep 1000")
    pid = int(wire.get(server.url).events(1)[0].data)
    server.signal(signal.SIGKILL)
    server.wait()
    poll("it is gone", lambda: gone(pid))


def test_restart_starts_it_again_after_longer_and_longer_waits(sse, wire):
    server = sse.serve("--restart", "--restart-delay", "20ms", "--", "sh", "-c", "printf half; exit 1")
    stream = wire.get(server.url)
    assert [e.data for e in stream.events(4)][:4] == ["half"] * 4  # never glued to the next one
    server.stderr.wait_for("starting it again in 160 ms")
    waits = re.findall(r"^sse: note: sh ended with status 1; starting it again in (\d+) ms$",
                       server.stderr.text(), re.MULTILINE)
    assert waits[:4] == ["20", "40", "80", "160"]
    server.signal(signal.SIGTERM)
    stream.events()
    stream.close()
    assert server.wait() == 0


def test_a_strict_end_ends_it_too(sse):
    server = sse.run("serve", "--listen", "127.0.0.1:0", "--strict", "--input", "json", "--",
                     "sh", "-c", "echo $$ >&2; echo nonsense; exec sleep 1000")
    assert server.status == 3
    assert gone(int(re.search(r"^(\d+)$", server.err, re.MULTILINE)[1]))


@pytest.mark.parametrize("args", [["--"], ["--restart"]])
def test_a_command_that_is_missing_is_missed(sse, args):
    result = sse.run("serve", "--listen", "127.0.0.1:0", *args)
    assert result.status == 2
    assert "command" in result.err.splitlines()[0]


def test_a_port_that_is_taken_is_found_before_it_is_started(sse, tmp_path):
    first = sse.serve()
    port = first.url.rsplit(":", 1)[1].strip("/")
    result = sse.run("serve", "--listen", f"127.0.0.1:{port}", "--", "touch", tmp_path / "ran")
    assert result.status == 7
    assert not (tmp_path / "ran").exists()


def test_a_command_that_buffers_for_a_pipe_writes_lines_at_once_to_a_pty(sse, wire):
    program = "import sys, time; print(sys.stdout.isatty()); print('two'); time.sleep(1000)"
    server = sse.serve("--pty", "--", "python3", "-c", program)
    stream = wire.get(server.url)
    assert [e.data for e in stream.events(2)] == ["True", "two"]
    server.signal(signal.SIGTERM)
    stream.events()
    stream.close()
    assert server.wait() == 0


def test_progress_bars_are_split_at_carriage_returns(sse, wire):
    events, _ = run(sse, wire, "printf", "\\r10%%\\r20%%\\rdone\\n", args=["--split-cr"])
    assert events == ["10%", "20%", "done"]


@pytest.mark.parametrize("name", ["SSE_TOKEN", "SSE_PUBLISH_TOKEN", "NOTIFY_SOCKET", "LISTEN_FDNAMES", "WATCHDOG_USEC"])
def test_a_command_does_not_inherit_what_is_ours_alone(sse, wire, name):
    server = sse.serve("--", "sh", "-c", f'echo "${{{name}-unset}}"', env={name: "secret"})
    stream = wire.get(server.url, headers=[("Authorization", "Bearer secret")])
    assert [e.data for e in stream.events()] == ["unset"]
    stream.close()


def test_orphans_are_reaped_as_process_1(sse, wire, sse_bin, tmp_path):
    """The command leaves children behind that end later: as the first process of a container, sse
    is their parent then."""
    script = "for i in 1 2 3; do (sleep 0.1 & ); done; echo $$; exec sleep 1000"
    server = sse.start_program("unshare", "--pid", "--fork", "--mount-proc", sse_bin, "serve", "--listen", "127.0.0.1:0", "--",
                               "sh", "-c", script)
    url = server.stderr.wait_for(r"serving (http://\S+)|^unshare: .*Operation not permitted")[1]
    if not url:
        pytest.skip("no right to make a process namespace")
    stream = wire.get(url)
    assert len(stream.events(1)) == 1

    def children(pid):
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]

    init = children(server.pid)[0]
    poll("no zombie and no orphan is left", lambda: len(children(init)) == 1 and not gone(children(init)[0]))
    os.kill(init, signal.SIGTERM)
    stream.events()
    stream.close()
    assert server.wait() == 0
