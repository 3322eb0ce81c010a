"""sse tail: user and password from netrc and from the terminal."""
import base64
import os
import pty
import select
import subprocess

import pytest

from support.deadline import Deadline
from support.steps import events


stream = events("data: x\n\n")


def sent_user(server):
    value = server.requests[-1].header("Authorization")
    return value and base64.b64decode(value.removeprefix("Basic ")).decode()


NETRC = """# comment with machine 127.0.0.1 login no password no
machine other.example login o password op
machine 127.0.0.1
    login me
    password "se cret\\"\\\\"
    account x
machine 127.0.0.1 login you password yp
macdef init
machine 127.0.0.1 login macro password mp

default login any password ap
"""


@pytest.mark.parametrize("args, url, user", [
    (["--netrc"], "http://127.0.0.1:{}/", 'me:se cret"\\'),
    (["--netrc"], "http://you@127.0.0.1:{}/", "you:yp"),
    (["--netrc"], "http://you:own@127.0.0.1:{}/", "you:own"),
    (["--netrc"], "http://localhost:{}/", "any:ap"),
    (["--netrc"], "http://nobody@127.0.0.1:{}/", "nobody:"),
    (["--netrc", "-u", "a:b"], "http://127.0.0.1:{}/", "a:b"),
    (["--netrc", "-H", "Authorization:"], "http://127.0.0.1:{}/", 'me:se cret"\\'),
    ([], "http://127.0.0.1:{}/", None),
])
def test_netrc(sse, origin, tmp_path, args, url, user):
    (tmp_path / ".netrc").write_text(NETRC)
    server = origin(stream)
    address = url.format(server.port)
    tail = sse.run("tail", address, "--no-reconnect", *args, env={"HOME": str(tmp_path)})
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err
    if args != ["--netrc", "-H", "Authorization:"]:
        assert sent_user(server) == user


def test_a_netrc_of_another_name(sse, origin, tmp_path):
    (tmp_path / "file").write_text("machine 127.0.0.1 login a password b")
    server = origin(stream)
    assert sse.run("tail", server.url, "--no-reconnect", "--netrc-file", tmp_path / "file").status == 0
    assert sent_user(server) == "a:b"


@pytest.mark.parametrize("text, said", [
    (None, "cannot read {} for --netrc-file: No such file or directory"),
    ("machine h login", "{}:1: login has no value"),
    ("machine h\nlogin \"x", "{}:2: a quote is not closed"),
    ("machine h\npasswd x", "{}:2: \"passwd\" is not a word of the netrc format"),
])
def test_a_netrc_that_is_none(sse, tmp_path, text, said):
    file = tmp_path / "file"
    if text is not None:
        file.write_text(text)
    tail = sse.run("tail", ":1", "--netrc-file", file)
    assert tail.status in (2, 3)
    assert f"sse: error: {said.format(file)}\n" in tail.err


def test_a_redirect_to_another_host_takes_no_netrc_along(sse, origin, tmp_path):
    (tmp_path / "file").write_text("default login a password b")
    last = origin(stream)
    first = origin(lambda c: c.answer("302 Found", "", f"Location: {last.url}"))
    assert sse.run("tail", first.url, "--no-reconnect", "--netrc-file", tmp_path / "file").status == 0
    assert (sent_user(first), sent_user(last)) == ("a:b", None)


class Asked:
    """sse tail with a terminal of its own to be asked on."""

    def __init__(self, sse_bin, *args):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execv(sse_bin, [sse_bin, "tail", *args])
        self.seen, self._deadline = b"", Deadline()

    def wait_for(self, text):
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], self._deadline.check(text))
            try:
                piece = os.read(self.terminal, 1000) if ready else b""
            except OSError:
                piece = None
            assert piece is not None, self.seen
            self.seen += piece

    def end(self):
        while True:
            assert select.select([self.terminal], [], [], self._deadline.check("the end"))[0]
            try:
                self.seen += os.read(self.terminal, 1000)
            except OSError:  # EIO: it has closed its end
                break
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_password_is_asked_for_and_not_shown(sse_bin, origin):
    """Once, however many URLs there are."""
    servers = [origin(stream), origin(stream)]
    tail = Asked(sse_bin, *[s.url for s in servers], "--no-reconnect", "-u", "me", "-o", "data")
    tail.wait_for(b"Password for me: ")
    os.write(tail.terminal, b"s3:cret\n")
    assert tail.end() == 0
    assert [sent_user(s) for s in servers] == ["me:s3:cret"] * 2
    assert b"s3:cret" not in tail.seen and tail.seen.count(b"Password") == 1


def test_whoever_is_asked_can_break_off(sse_bin):
    tail = Asked(sse_bin, ":1", "-u", "me")
    tail.wait_for(b"Password for me: ")
    os.write(tail.terminal, b"s\x03")
    assert tail.end() == 130


def test_without_a_terminal_there_is_nobody_to_ask(sse_bin):
    done = subprocess.run([sse_bin, "tail", ":1", "-u", "me"], stdin=subprocess.DEVNULL, capture_output=True,
                          start_new_session=True, check=False)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "sse: error: -u me has no password, and there is no terminal to read one from\n"
        "sse: hint: use -u USER:PASSWORD, -u USER: for an empty password, or --netrc\n")
