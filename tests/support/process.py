"""Processes of the tests: started, watched, and gone when the test is over."""
import os
import pty
import re
import signal
import subprocess
import threading
from pathlib import Path

from support.deadline import HANG, Deadline

IO = os.environ.get("SSE_IO")  # uring or send: how all servers send, to run the suite with one of them
SANITIZER = re.compile(r"(Address|Leak|Thread|Memory)Sanitizer|runtime error:")


class Pipe:
    """Reads a pipe to its end on a thread of its own, so that nobody blocks on a full one. `closes`: closes it then."""

    def __init__(self, file, closes=False):
        self.bytes, self.ended = b"", False
        self._file, self._closes, self._change = file, closes, threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                piece = os.read(self._file.fileno(), 65536)
            except (OSError, ValueError):
                piece = b""
            if not piece and self._closes:
                self._file.close()
            with self._change:
                self.bytes += piece
                self.ended = not piece
                self._change.notify_all()
                if self.ended:
                    return

    def text(self):
        return self.bytes.decode("utf-8", "replace")

    def tail(self):
        """The last of it, for a message."""
        return self.text()[-1000:]

    def wait(self, what, condition):
        """Waits until `condition(bytes)` is true and returns its value."""
        deadline = Deadline()
        with self._change:
            while not (value := condition(self.bytes)):
                if self.ended:
                    raise EOFError(f"ended before {what}: {self.tail()!r}")
                if not self._change.wait(deadline.left()) and deadline.left() <= 0:
                    raise TimeoutError(f"waited in vain for {what}: {self.tail()!r}")
            return value

    def wait_for(self, pattern):
        """Waits for a match of the regular expression `pattern` (text); returns the match."""
        regex = re.compile(pattern, re.MULTILINE)
        return self.wait(repr(pattern), lambda b: regex.search(b.decode("utf-8", "replace")))

    def is_quiet(self, seconds):
        """Whether nothing comes for that long."""
        with self._change:
            before = len(self.bytes)
            return not self._change.wait_for(lambda: len(self.bytes) > before, seconds)

    def wait_for_end(self, seconds=HANG):
        """Waits for the end; returns all bytes."""
        deadline = Deadline(seconds)
        with self._change:
            while not self.ended:
                if not self._change.wait(deadline.left()) and deadline.left() <= 0:
                    raise TimeoutError(f"no end of {self.tail()!r}")
        return self.bytes


class Process:
    """A running program. stdout and stderr are read as they come, unless they were redirected."""

    def __init__(self, args, *, input=None, stdin=None, stdout=None, stderr=None, env=None, cwd=None):
        self.args = [os.fspath(a) if isinstance(a, os.PathLike) else a for a in args]
        if stdin is None:
            stdin = subprocess.PIPE
        self.popen = subprocess.Popen(
            self.args, stdin=stdin, stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE if stderr is None else stderr, cwd=cwd, env={**os.environ, **(env or {})},
            start_new_session=True)
        self.pid = self.popen.pid
        self.stdout = Pipe(self.popen.stdout, closes=True) if stdout is None else None
        self.stderr = Pipe(self.popen.stderr, closes=True) if stderr is None else None
        if input is not None:
            threading.Thread(target=self._write_all, args=(input,), daemon=True).start()

    def _write_all(self, data):
        try:
            self.write(data)
            self.close_stdin()
        except OSError:
            pass  # it has read what it wanted

    def write(self, data):
        """Writes to its stdin, all of it, now."""
        self.popen.stdin.write(data.encode() if isinstance(data, str) else data)
        self.popen.stdin.flush()

    def close_stdin(self):
        self.popen.stdin.close()

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self):
        """Waits for its end; returns the exit status as a shell has it (128 + signal)."""
        try:
            status = self.popen.wait(HANG)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.args} did not end; stderr: {self.stderr.tail()!r}") from None
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.wait_for_end()
        return status if status >= 0 else 128 - status

    @property
    def running(self):
        return self.popen.poll() is None

    # -- what it holds, from /proc
    def rss_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[1])

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def _descriptors(self):
        """What its descriptors are; those that close meanwhile are left out."""
        directory = f"/proc/{self.pid}/fd"
        for number in os.listdir(directory):
            try:
                yield os.readlink(f"{directory}/{number}")
            except FileNotFoundError:
                pass

    def descriptors(self):
        """How many it has open, without the ring that a loop opens when it first sends to several clients."""
        names = list(self._descriptors())
        rings = names.count("anon_inode:[io_uring]")
        assert rings <= self.threads()  # a loop has a thread, and one ring
        return len(names) - rings

    def end_hard(self):
        """kill -9, its children with it."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.popen.wait()
        if self.popen.stdin:
            try:
                self.popen.stdin.close()
            except OSError:
                pass  # what it did not read

    def end(self):
        """Ends it, gently so that leak checks run, and hard if that does not help. Returns what
        sanitizers had to say, or None."""
        if self.running:
            self.signal(signal.SIGTERM)
            try:
                self.popen.wait(8)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGINT)  # a second signal: at once
                try:
                    self.popen.wait(8)
                except subprocess.TimeoutExpired:
                    pass
        self.end_hard()
        try:
            self.stderr.wait_for_end(2)
        except TimeoutError:
            pass  # a child of its own holds the pipe
        return self.stderr.text() if SANITIZER.search(self.stderr.text()) else None


class Sse:
    """The program under test. Ends all it has started when the test is over."""

    def __init__(self, binary):
        self.binary = binary
        self._started = []

    def start(self, *args, **options):
        """Starts `sse ARGS`; options as Process has them."""
        return self.start_program(self.binary, *args, **options)

    def start_program(self, *args, **options):
        """Starts any other program, to be ended all the same."""
        process = Process([str(a) for a in args], **options)
        self._started.append(process)
        return process

    def at_terminal(self, *args, fds=(1, 2), env=None, **options):
        """Starts `sse ARGS` with a pseudo terminal for stdout and stderr, or for those in `fds`: both
        then are one Pipe; `process.keys` is where somebody types."""
        leader, follower = pty.openpty()
        for fd, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
            if fd in fds:
                options[name] = follower
        process = self.start(*args, env={"TERM": "xterm", **(env or {})}, **options)
        os.close(follower)
        process.keys = os.fdopen(leader, "r+b", buffering=0)
        shown = Pipe(process.keys)
        process.stdout = shown if 1 in fds else process.stdout
        process.stderr = shown if 2 in fds else process.stderr
        return process

    def run(self, *args, **options):
        """Runs `sse ARGS` to its end. The result has `status`, `out` (bytes), `err` (text)."""
        options.setdefault("input", b"")
        process = self.start(*args, **options)
        process.status = process.wait()
        process.out = process.stdout.bytes if process.stdout else b""
        process.err = process.stderr.text()
        return process

    def serve(self, *args, command="serve", **options):
        """Starts `sse serve ARGS` on a free port (unless ARGS say where) and waits until it
        serves; the process then has `url`, and `urls` if there are several."""
        if IO and "--io" not in args and command in ("serve", "replay"):
            args = ("--io", IO, *args)
        if "--listen" not in args:
            args = ("--listen", "127.0.0.1:0", *args)
        process = self.start(command, *args, **options)
        process.stderr.wait_for(r"^sse: serving \S+$")
        process.urls = re.findall(r"^sse: serving (\S+)$", process.stderr.text(), re.MULTILINE)
        process.url = process.urls[0]
        return process

    def replay(self, *args, **options):
        """The same for `sse replay`."""
        return self.serve(*args, command="replay", **options)

    def end_all(self):
        reports = [report for p in self._started if (report := p.end())]
        assert not reports, "\n".join(reports)
