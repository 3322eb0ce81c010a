"""What people see: the line at the foot of a terminal, and that a stream cannot draw on it."""
import os
import re
import shutil

import pytest
from support.deadline import poll
from support.tmux import Tmux, quoted

pytestmark = pytest.mark.release
STATUS = re.compile(r"\d+ clients?, \d+ events?, ")


@pytest.fixture
def terminal(tmp_path):
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    made = []

    def make(command, **options):
        made.append(Tmux(command, cwd=tmp_path, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def status_lines(lines):
    return [line for line in lines if STATUS.search(line)]


def served(terminal_):
    """The port that is announced on the screen."""
    lines = terminal_.wait("the announcement", lambda lines: any("sse: serving" in line for line in lines))
    return re.search(r"http://127\.0\.0\.1:(\d+)/", "".join(lines))[0]


def test_the_status_line_follows_the_width_and_is_gone_at_the_end(sse, terminal, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    shown = terminal(quoted(sse.binary, "serve", "--listen", "127.0.0.1:0", "pipe"))
    with open(tmp_path / "pipe", "w", encoding="utf-8") as pipe:
        url = served(shown)
        pipe.write("1\n2\n3\n")
        pipe.flush()
        full, = status_lines(shown.wait("the count", lambda lines: any("3 events" in line for line in lines)))
        assert full.startswith("0 clients, 3 events, ") and full.endswith(" behind")
        for columns in (30, 24, 100, 26, 80):
            shown.resize(columns)
            shown.wait(f"one line of {columns} columns", lambda lines, n=columns: len(status_lines(lines)) == 1
                       and lines[-1] == status_lines(lines)[0] and len(lines[-1]) < n
                       and lines[-1].startswith("0 clients, 3 events, "[:n - 1])
                       and (n < 50 or lines[-1].endswith("behind"))
                       and not any(line in full for line in lines[:-1] if line))
    tail = sse.run("tail", url)
    assert tail.out == b"1\n2\n3\n"
    status, lines = shown.wait_for_end()
    assert status == 0 and status_lines(lines) == []
    assert any(line.startswith("sse: served 3 events to 1 connection") for line in lines)


def test_lines_stand_above_the_status_line_whole(sse, terminal, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    shown = terminal(quoted(sse.binary, "serve", "--listen", "127.0.0.1:0", "--input", "json", "pipe"))
    with open(tmp_path / "pipe", "w", encoding="utf-8") as pipe:
        served(shown)
        shown.wait("the status line", status_lines)
        pipe.write("nonsense\n")
        pipe.flush()
        lines = shown.wait("the warning", lambda lines: any("sse: warning: " in line for line in lines))
        assert len(status_lines(lines)) == 1 and STATUS.search(lines[-1])
        assert not any(STATUS.search(line) for line in lines if line.startswith("sse:"))
        shown.keys("C-c")
        status, lines = shown.wait_for_end()
    assert status_lines(lines) == [] and status == 0


def test_replay_says_where_it_is_and_leaves_nothing(sse, terminal, tmp_path):
    lines = ['{"sse":1,"started":"2026-11-22T05:00:00.123Z"}',
             *(f'{{"t":{n / 10:.6f},"data":"{n}"}}' for n in range(12)), '{"t":1.2,"close":"eof"}']
    (tmp_path / "run.jsonl").write_text("\n".join(lines) + "\n")
    shown = terminal(quoted(sse.binary, "replay", "--stdout", "run.jsonl") + " > out")
    shown.wait("a position", lambda lines: any(re.match(r"[\d.]+s of 1\.2s", line) for line in lines))
    status, lines = shown.wait_for_end()
    assert (status, lines) == (0, [])
    assert (tmp_path / "out").read_text().count("data: ") == 12


@pytest.mark.parametrize("term, to", [("xterm", " 2> err"), ("dumb", "")])
def test_no_status_line_where_nothing_can_be_erased(sse, terminal, tmp_path, term, to):
    (tmp_path / "in").write_text("1\n2\n")
    shown = terminal(f"TERM={term} " + quoted(sse.binary, "serve", "--listen", "127.0.0.1:0", "--port-file", "port",
                                              "in") + to)
    poll("the port", (tmp_path / "port").exists)
    assert sse.run("tail", f":{(tmp_path / 'port').read_text().strip()}").out == b"1\n2\n"
    status, lines = shown.wait_for_end()
    said = (tmp_path / "err").read_text() if to else "\n".join(lines)
    assert status == 0 and "sse: served 2 events" in said
    assert "\x1b" not in said and "\r" not in said and not STATUS.search(said.split("sse: served")[0])
    assert not to or lines == []


EVIL = ["\x1b]0;owned\x07", "\x1b]2;owned\x1b\\", "\x1b[2J\x1b[H", "\x1b[10;10Hhere", "\x1b[?1049h", "\x1bc", "\x9b2J",
        "\u009b2J", "\r\x1b[Koverwritten", "\b\b\b\b", "\x1b[31mred", "\u202egnihton", "\x0e", "\x07", "\x1bPq#0\x1b\\",
        "\x1b[6n", "\x1b[c", "\x7f", "\u2028"]


@pytest.mark.parametrize("colour", ["always", "never"])
def test_a_stream_cannot_draw_on_the_terminal(sse, terminal, origin, colour):
    def handler(c):
        c.head()
        for n, evil in enumerate(EVIL):
            escaped = evil.encode("unicode_escape").decode().replace("\\x", "\\u00").replace("\\r", "\\u000d")
            c.chunk(f"data: plain {n} {evil}end\n\n".replace("\r", ""))
            c.chunk(f"event: t{evil}\nid: i{evil}\ndata: x\n\n".replace("\r", ""))
            c.chunk(f'data: {{"k{n}":"{escaped} end"}}\n\n')
            c.chunk(b"data: raw " + evil.encode("latin-1", "replace").replace(b"\r", b"") + b" end\n\n")
        c.chunk("event: last\ndata: done\n\n")
        c.wait_for_close()

    shown = terminal("printf '\\033]2;mine\\033\\\\before\\n'; " + quoted(
        sse.binary, "tail", "--color", colour, "-o", "pretty", "--until", "last", origin(handler).url),
        rows=400, columns=100)
    status, lines = shown.wait_for_end()
    assert status == 0 and shown.title() == "mine"
    assert lines[0] == "before" and "done" in lines[-1]
    assert not any("overwritten" == line.strip() for line in lines)
    for n in range(len(EVIL)):
        assert sum(f"plain {n} " in line for line in lines) == 1 and sum(f'"k{n}"' in line for line in lines) == 1
    assert colour == "always" or "\x1b" not in "".join(shown.screen(colours=True))


def test_a_refusal_of_a_server_cannot_draw_on_the_terminal(sse, terminal, origin):
    def handler(c):
        c.answer("404 Gone", "\x1b]2;owned\x07\x1b[2J\x1b[Hbody", content_type="text/plain")

    shown = terminal("printf '\\033]2;mine\\033\\\\before\\n'; " + quoted(
        sse.binary, "tail", "-v", origin(handler).url))
    status, lines = shown.wait_for_end()
    assert status == 22 and shown.title() == "mine" and lines[0] == "before"


@pytest.mark.parametrize("columns", [24, 41, 60])
def test_wide_characters_are_counted_as_the_terminal_does(sse, terminal, origin, columns):
    texts = ["日本語のテキストは二桁ずつ進む" * 4, "emoji 😀🎉🚀" * 12, "combining e\u0301a\u0308" * 14, "plain " * 30,
             '{"key":"値は二桁ずつ進む、長い長い長い文字列","n":1}']

    def handler(c):
        c.head()
        for text in texts:
            c.chunk(f"data: {text}\n\n")
        c.chunk("event: last\ndata: done\n\n")
        c.wait_for_close()

    shown = terminal(quoted(sse.binary, "tail", "-o", "pretty", "--time", "none", "--color", "never", "--until",
                            "last", origin(handler).url), columns=columns, rows=200, env={"LC_ALL": "C.UTF-8"})
    status, _ = shown.wait_for_end()
    assert status == 0
    assert shown.screen() == shown.screen(joined=True), "a line was wider than it was taken for"
    said = "".join(line.strip() for line in shown.screen())
    assert "日本語" in said and "😀" in said
