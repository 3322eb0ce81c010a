"""A terminal that can be looked at and resized: tmux, a server of the test's own."""
import os
import shlex
import subprocess
import tempfile
import time

from support.deadline import Deadline


class Tmux:
    """Runs a shell command in a terminal; what it shows is read from the screen."""

    def __init__(self, command, *, columns=80, rows=24, cwd=None, env=None):
        self._folder = tempfile.TemporaryDirectory(prefix="sse-tmux-")
        self._socket = os.path.join(self._folder.name, "socket")
        variables = [word for name, value in (env or {}).items() for word in ("-e", f"{name}={value}")]
        # a shell that stays, so that what is left on the screen can be looked at
        script = f"{command}; printf '\\n[status %s]\\n' $?; exec sleep 600"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), *variables,
                   "-c", str(cwd or "/"), "bash", "-c", script)

    def _tmux(self, *words):
        env = {k: v for k, v in os.environ.items() if k != "TMUX"}
        return subprocess.run(["tmux", "-S", self._socket, "-u", *words], capture_output=True, text=True, check=True,
                              env={**env, "LC_ALL": "C.UTF-8"}).stdout

    def screen(self, *, joined=False, colours=False):
        """The lines that are shown; `joined`: those that the terminal had to wrap as one."""
        flags = ["-J"] * joined + ["-e"] * colours
        lines = [line.rstrip() for line in self._tmux("capture-pane", "-p", *flags).split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def wait(self, what, condition):
        """Waits until `condition(lines)` holds; returns the lines."""
        deadline = Deadline()
        while not condition(lines := self.screen()):
            deadline.check(f"{what}; the screen is {lines}")
            time.sleep(0.01)
        return lines

    def wait_for_end(self):
        """Until the command has ended; returns its status and the screen without that line."""
        lines = self.wait("the end", lambda lines: any(line.startswith("[status ") for line in lines))
        end = next(n for n, line in enumerate(lines) if line.startswith("[status "))
        return int(lines[end].strip("[]").split()[1]), [line for line in lines[:end] if line]

    def resize(self, columns, rows=24):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def keys(self, *keys):
        self._tmux("send-keys", *keys)

    def title(self):
        return self._tmux("display-message", "-p", "#{pane_title}").strip()

    def close(self):
        self._tmux("kill-server")
        self._folder.cleanup()


def quoted(*words):
    return shlex.join(map(str, words))
