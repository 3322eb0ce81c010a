"""What `sse serve` reads: files and pipes, in every form, good and bad."""
import json
import os
import re

import pytest


def served(sse, wire, *args, input=b"", **options):
    """All events of a serve that ends by itself, and the process."""
    server = sse.serve(*args, input=input, **options)
    stream = wire.get(server.url)
    events = stream.events()
    stream.close()  # or the server lingers for what may still be on its way
    server.status = server.wait()
    server.err = server.stderr.text()
    return events, server


FORMS = [
    ("lines", b"a\r\nb\n\nc", ["a", "b", "", "c"]),
    ("blocks", b"a\nb\n\n\nc\n", ["a\nb", "c"]),
    ("nul", b"a\nb\0c\0", ["a\nb", "c"]),
    ("json", b'{"data":"a\\nb"}\n{"data":{"n": 1.50}}\n', ["a\nb", '{"n":1.50}']),
    ("sse", b"data: a\ndata: b\n\ndata: c\nid: 7\n\n", ["a\nb", "c"]),
]


@pytest.mark.parametrize("form,text,data", FORMS, ids=[f[0] for f in FORMS])
def test_each_form_says_where_an_event_ends(sse, wire, form, text, data):
    events, server = served(sse, wire, "--input", form, input=text)
    assert [e.data for e in events] == data
    assert server.status == 0
    assert "warning" not in server.err


def files_of_2000_lines(tmp_path):
    for name in "abc":
        path = tmp_path / name
        path.write_text("".join(f"{name}{n}\n" for n in range(2000)))
        yield path


def test_several_files_are_served_in_their_order_and_what_stands_behind_them_then(sse, wire, tmp_path):
    events, server = served(sse, wire, *files_of_2000_lines(tmp_path), "-", "--end-event", "bye",
                            input=b"stdin\n")
    assert server.status == 0
    assert events[-1].event == "bye" and events[-1].data == ""
    data = [e.data for e in events[:-1]]
    assert data == [f"{name}{n}" for name in "abc" for n in range(2000)] + ["stdin"]


def test_files_that_are_followed_are_read_together(sse, wire, tmp_path):
    names = list(files_of_2000_lines(tmp_path))
    stream = wire.get(sse.serve("-f", *names).url)
    data = [e.data for e in stream.events(6000)]
    for name in "abc":  # each in its own order, whatever came between
        assert [d for d in data if d[0] == name] == [f"{name}{n}" for n in range(2000)]


def test_a_pipe_keeps_no_file_behind_it_waiting(sse, wire, tmp_path):
    path = tmp_path / "a"
    path.write_text("a\n")
    server = sse.serve("-", path)
    stream = wire.get(server.url)
    assert [e.data for e in stream.events(1)] == ["a"]
    server.write("stdin\n")
    assert [e.data for e in stream.events(2)] == ["a", "stdin"]


def test_files_behind_one_that_nobody_can_read_on_are_not_waited_for(sse, wire, tmp_path):
    path = tmp_path / "a"
    path.write_text("a\n" * 100)
    done = sse.run("serve", "--listen", "127.0.0.1:0", "--strict", "--input", "json", path, "-", path)
    assert done.status == 3 and "line 1 of" in done.err


@pytest.mark.parametrize("flag, value", [
    ("--max-clients", "0"), ("--end-event", ""), ("--event", ""), ("--gap-event", ""), ("--record", ""),
    ("--port-file", ""), ("--admin", ""), ("--access-log", ""), ("--user", ""), ("--tls-cert", ""),
    ("--max-channels", "0"), ("--history", "0")])
def test_what_would_be_nothing_is_refused(sse, flag, value):
    done = sse.run("serve", "--listen", "127.0.0.1:0", flag, value)
    assert done.status == 2 and done.err.startswith(f"sse: error: {flag}: "), done.err


def test_lines_of_two_writers_never_mix(sse, wire, tmp_path):
    fifos = [tmp_path / "one", tmp_path / "two"]
    for fifo in fifos:
        os.mkfifo(fifo)
    server = sse.serve(*fifos)  # nobody writes yet, and it serves all the same
    writers = [os.open(fifo, os.O_WRONLY) for fifo in fifos]
    stream = wire.get(server.url)
    os.write(writers[0], b"half of ")
    os.write(writers[1], b"other\n")
    assert [e.data for e in stream.events(1)] == ["other"]
    os.write(writers[0], b"one\n")
    assert [e.data for e in stream.events(2)] == ["other", "half of one"]
    os.close(writers[0])
    os.write(writers[1], b"last")
    os.close(writers[1])
    assert [e.data for e in stream.events()][2:] == ["last"]
    stream.close()
    assert server.wait() == 0


def test_dev_stdin_is_standard_input(sse, wire):
    events, _ = served(sse, wire, "/dev/stdin", input=b"a\n")
    assert [e.data for e in events] == ["a"]


BAD_LINES = [
    ("lines", b"a\n" + b"x" * 101 + b"\nb\n", "line 2 of standard input: longer than 100 bytes"),
    ("blocks", b"a\n\n" + b"x\n" * 60 + b"\nb\n",
     "the block at line 3 of standard input: longer than 100 bytes"),
    ("nul", b"a\0" + b"x" * 101 + b"\0b", "event 2 of standard input: longer than 100 bytes"),
    ("json", b'{"data":"a"}\n[1]\n{"data":"b"}\n', "line 2 of standard input: not a JSON object"),
    ("json", b'{"data":"a"}\n{"id":"1\\n2","data":"x"}\n{"data":"b"}\n',
     "line 2 of standard input: .*LF.*"),
    ("json", b'{"data":"a"}\n{"event":"1\\r2","data":"x"}\n{"data":"b"}\n',
     "line 2 of standard input: .*CR.*"),
    ("json", b'{"data":"a"}\n{"id":"1\\u00002","data":"x"}\n{"data":"b"}\n',
     "line 2 of standard input: .*NUL.*"),
    ("sse", b"data: a\n\nid: 2\ndata: " + b"x" * 5000 + b"\ndata: y\n\ndata: b\n\n",
     "event 2 of standard input: longer than 100 bytes"),
]


@pytest.mark.parametrize("form,text,why", BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_is_skipped_with_its_number(sse, wire, form, text, why):
    events, server = served(sse, wire, "--input", form, "--max-event-bytes", "100", input=text)
    assert [e.data for e in events] == ["a", "b"]
    assert server.status == 0
    assert re.search(f"^sse: warning: skipped {why}$", server.err, re.MULTILINE), server.err
    assert server.err.count("warning") == 1


@pytest.mark.parametrize("form,text,why", BAD_LINES, ids=range(len(BAD_LINES)))
def test_strict_ends_at_a_bad_line_with_status_3(sse, form, text, why):
    server = sse.run("serve", "--strict", "--input", form, "--max-event-bytes", "100",
                     "--listen", "127.0.0.1:0", input=text)  # no client came, and none is awaited
    assert server.status == 3
    assert re.search(f"^sse: error: {why}\nsse: hint: .*--strict.*\n\\Z", server.err,
                     re.MULTILINE), server.err


def test_who_reads_gets_what_came_before_a_strict_end(sse, wire):
    server = sse.serve("--strict", "--input", "json")
    stream = wire.get(server.url)
    server.write(b'{"data":"a"}\n')
    assert len(stream.events(1)) == 1
    server.write(b'{"data":"b"}\nnonsense\n{"data":"c"}\n')
    assert [e.data for e in stream.events()] == ["a", "b"]
    stream.close()
    assert server.wait() == 3


def test_a_flood_of_bad_lines_is_counted_and_not_printed(sse, wire):
    text = b"nonsense\n" * 5000 + b'{"data":"a"}\n'
    events, server = served(sse, wire, "--input", "json", input=text)
    assert [e.data for e in events] == ["a"]
    assert server.err.count("sse: warning: skipped line") == 100
    assert "sse: warning: skipped 4900 more of standard input\n" in server.err


@pytest.mark.parametrize("data", ["", ":", " ", "data:", "data: x", "\u2028", "a\u0085b", "\0", "\r",
                                  "a\rb", "a\nb", "a\r\nb", "\n", ": ping", "id: 9", "a\x00b"])
def test_data_cannot_become_protocol(sse, wire, data):
    line = json.dumps({"data": data, "event": "t", "id": "1\u2028"}) + "\n"
    events, _ = served(sse, wire, "--input", "json", input=line.encode())
    (event,) = events
    assert (event.event, event.id) == ("t", "1\u2028")
    assert event.data == data.replace("\r\n", "\n").replace("\r", "\n")


def test_a_comment_cannot_become_an_event(sse, wire):
    line = b'{"comment":"a\\ndata: x\\r\\rid: 9\\n\\ndata: y","data":"z"}\n'
    events, _ = served(sse, wire, "--input", "json", input=line)
    assert [(e.data, e.event) for e in events] == [("z", "message")]
    assert events[0].id != "9"


@pytest.mark.release
def test_a_line_of_40_megabytes_is_skipped_in_bounded_memory(sse, wire):
    server = sse.serve()
    stream = wire.get(server.url)
    server.write(b"a\n")
    stream.events(1)
    before = server.rss_kib()
    for _ in range(40):
        server.write(b"x" * (1 << 20))
    server.write(b"\nb\n")
    assert [e.data for e in stream.events(2)] == ["a", "b"]
    assert server.rss_kib() - before < 40 * 1024
    server.stderr.wait_for(r"^sse: warning: skipped line 2 of standard input: longer than 16777216")


def test_binary_input_is_text_with_replacement_characters(sse, wire):
    events, server = served(sse, wire, input=bytes(range(256)) + b"\n\xff\xfe\n")
    assert server.status == 0 and len(events) == 3
    assert events[2].data == "\ufffd\ufffd"


def test_a_missing_file_is_refused_before_anything_is_served(sse, tmp_path):
    result = sse.run("serve", "--listen", "127.0.0.1:0", tmp_path / "none")
    assert result.status == 23
    assert result.err.splitlines()[0] == (
        f"sse: error: cannot open {tmp_path}/none: No such file or directory")
    assert "serving" not in result.err


def test_a_directory_is_refused(sse, tmp_path):
    result = sse.run("serve", "--listen", "127.0.0.1:0", tmp_path)
    assert result.status == 23
    assert f"cannot read {tmp_path}: Is a directory" in result.err


def test_a_type_that_cannot_be_sent_is_refused(sse):
    for flag in ("--event", "--end-event"):
        result = sse.run("serve", flag, "a\nb")
        assert result.status == 2 and flag in result.err, result.err


def test_end_event_is_the_last_and_not_sent_when_told_to_stop(sse, wire):
    server = sse.serve("--end-event", "done")
    stream = wire.get(server.url)
    server.write(b"a\n")
    stream.events(1)
    server.signal(15)
    assert [e.event for e in stream.events()] == ["message"]
    stream.close()
    assert server.wait() in (0, 143)
