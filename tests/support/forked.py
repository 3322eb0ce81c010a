"""Runs sse for many command lines without loading it anew for each (forked_sse.cpp)."""
import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from support.deadline import HANG


@dataclass
class Done:
    """As subprocess.run returns it."""
    returncode: int
    stdout: str
    stderr: str


class Forked:
    """Used as a context. `binary` is the program; without the test program in its build directory, it is run itself."""

    def __init__(self, binary):
        self.binary = binary
        program = Path(binary).parent / "tests/sse_forked"
        self.process = program.exists() and subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.communicate()

    def run(self, *args, cwd=None):
        if not self.process:
            done = subprocess.run([self.binary, *args], stdin=subprocess.DEVNULL, cwd=cwd, capture_output=True,
                                  check=False, timeout=HANG)
            return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
        parts = [os.fspath(cwd or os.getcwd()), *args]
        self.process.stdin.write(b"%d\n" % len(parts) + b"".join(part.encode() + b"\0" for part in parts))
        self.process.stdin.flush()
        hung = threading.Timer(HANG, self.process.kill)
        hung.start()
        head = self.process.stdout.readline().split()
        hung.cancel()
        assert len(head) == 3, f"{args} did not end"
        status, out, err = map(int, head)
        return Done(status, self.process.stdout.read(out).decode(), self.process.stdout.read(err).decode())
