"""Completions, by really pressing Tab in each shell."""
import os
import pty
import re
import select
import shutil
import signal
from pathlib import Path

import pytest
from support.deadline import Deadline

ROOT = Path(__file__).parent.parent.parent
COMPLETIONS = ROOT / "completions"
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "bind 'set bell-style none'; bind 'set page-completions off';"
             " source /usr/share/bash-completion/bash_completion;"
             f" source {COMPLETIONS}/sse.bash; PS1='ready> '"),
    "zsh": (["zsh", "-f", "-i"],
            f"fpath=({COMPLETIONS} $fpath); autoload -U compinit; compinit -u -d $ZSH_KNOWN;"
            " unsetopt list_beep; PS1='ready> '"),
    "fish": (["fish", "--no-config", "-i"],
             f"source {COMPLETIONS}/sse.fish; function fish_prompt; echo 'ready> '; end"),
}
CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][0-9AB]?|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\r")

pytestmark = pytest.mark.release


class Terminal:
    """A shell at a terminal."""

    def __init__(self, args, folder, known):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8", HOME=str(folder), COLUMNS="100",
                              XDG_CONFIG_HOME=str(folder), XDG_DATA_HOME=str(folder), ZSH_KNOWN=str(known))
            os.execvp(args[0], args)
        os.set_blocking(self.fd, False)
        self.shown = b""

    def type(self, text):
        self.shown = b""
        os.write(self.fd, text.encode())

    def wait_for(self, pattern):
        deadline = Deadline()
        while not re.search(pattern, CONTROL.sub(b"", self.shown)):
            try:
                left = deadline.check(f"{pattern!r} in {CONTROL.sub(b'', self.shown)!r}")
                select.select([self.fd], [], [], left)
                self.shown += os.read(self.fd, 65536)
            except BlockingIOError:
                continue

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture(params=SHELLS)
def shell(request, tmp_path, tmp_path_factory):
    if not shutil.which(request.param):
        pytest.fail(f"{request.param} is not installed")
    args, setup = SHELLS[request.param]
    (tmp_path / "a-recording.jsonl").touch()
    # zsh notes there what it has found, for the next one
    terminal = Terminal(args, tmp_path, tmp_path_factory.getbasetemp() / "zcompdump")
    terminal.type(setup + "\n")
    terminal.wait_for(rb"ready> ")
    yield terminal
    terminal.close()


@pytest.mark.parametrize("typed, completed", [
    ("sse se", rb"sse serve "),
    ("sse rep", rb"sse replay "),
    ("sse help ta", rb"sse help tail"),
    ("sse serve --over", rb"sse serve --overflow"),
    ("sse serve --overflow dr", rb"sse serve --overflow drop"),
    ("sse tail -o pre", rb"sse tail -o pretty"),
    ("sse tail --until-d", rb"sse tail --until-data"),
    ("sse replay --no-w", rb"sse replay --no-wait"),
    ("sse replay a-rec", rb"sse replay a-recording.jsonl"),
])
def test_tab_completes(shell, typed, completed):
    shell.type(typed + "\t")
    # what a shell echoes of a completed word may come in pieces, the typed part first
    shell.wait_for(completed)
