"""What people and peers get wrong: each has its message, its way out and its exit status."""
import re
import socket

import pytest
from support.deadline import HANG, at_pace, poll
from support.ports import free_port
from support.wire import reset


def two_lines(result):
    """The error and the hint of a failed run."""
    lines = result.err.splitlines()
    assert len(lines) == 2, result.err
    error, hint = lines
    assert error.startswith("sse: error: ") and hint.startswith("sse: hint: ")
    assert not re.search(r"\.$", error) and not re.search(r"\.$", hint)
    return error.removeprefix("sse: error: "), hint.removeprefix("sse: hint: ")


@pytest.mark.parametrize("command", ["serve", "replay"])
def test_a_port_that_is_taken(sse, command, tmp_path):
    recording = tmp_path / "r.jsonl"
    recording.write_text('{"sse":1,"started":"2026-11-22T05:00:00.123Z"}\n')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        file = [recording] if command == "replay" else []
        failed = sse.run(command, "--listen", address, *file)
    error, hint = two_lines(failed)
    assert failed.status == 7 and failed.out == b""
    assert error == f"cannot listen on {address}: Address already in use"
    assert hint == "choose another address with --listen, or port 0 for any free port"


@pytest.mark.parametrize("command, name, why", [
    ("serve", "no-such-file", "No such file or directory"),
    ("serve", "folder", "s a directory"),
    ("replay", "no-such-file", "No such file or directory"),
    ("replay", "folder", "the directory contains no recording")])
def test_a_file_that_cannot_be_read(sse, command, name, why, tmp_path):
    (tmp_path / "folder").mkdir()
    failed = sse.run(command, "--listen", "127.0.0.1:0", tmp_path / name)
    assert failed.status in (3, 23) and failed.out == b""
    first = [line for line in failed.err.splitlines() if line.startswith("sse: error: ")]
    assert len(first) == 1 and name in first[0] and why in first[0], failed.err


@pytest.mark.parametrize("size", ["513mb", "0", "5x", "-1"])
def test_an_event_cannot_be_larger_than_half_a_gibibyte(sse, size):
    failed = sse.run("serve", "--max-event-bytes", size)
    error, _ = two_lines(failed)
    assert failed.status == 2 and failed.out == b""
    assert error == f'--max-event-bytes: "{size}" is not a size from 1 to 512mb, such as 16mb'


@pytest.mark.parametrize("url, status, says", [
    ("http:///x", 2, "http:///x"),
    ("http://", 2, "http://"),
    ("ftp://example.org/", 2, "ftp"),
    ("http://127.0.0.1:99999/", 2, "99999"),
    ("http://no-such-host.invalid/", 6, "no-such-host.invalid"),
])
def test_a_url_that_leads_nowhere(sse, url, status, says):
    failed = sse.run("tail", url)
    error, _ = two_lines(failed)
    assert failed.status == status and failed.out == b"" and says in error


def test_nobody_listens_there(sse):
    address = f"127.0.0.1:{free_port()}"
    failed = sse.run("tail", f"http://{address}/")
    error, _ = two_lines(failed)
    assert failed.status == 7 and address in error and "refused" in error


@pytest.mark.parametrize("status, type_, body, says", [
    ("404 Not Found", "application/json", '{"error":{"message":"no such model"}}', "no such model"),
    ("200 OK", "text/html", "<!doctype html><title>Log in</title>", "text/html"),
    ("200 OK", "text/plain", "all is well", "text/plain"),
    ("200 OK", None, "data: x\n\n", "content-type"),
])
def test_an_answer_that_is_no_stream(sse, origin, status, type_, body, says):
    server = origin(lambda connection: connection.answer(status, body, content_type=type_))
    failed = sse.run("tail", server.url)
    assert failed.status == 22 and failed.out == b""
    assert failed.err.startswith("sse: error: ") and "\nsse: hint: " in failed.err
    assert says in failed.err.lower() and len(server.requests) == 1


@pytest.mark.parametrize("text", ["hello\n", "", '{"sse":99,"started":"2026-11-22T05:00:00Z"}\n',
                                  '{"log":{"entries":[]}', "\x00\xff"])
def test_a_recording_that_is_not_one(sse, text, tmp_path):
    file = tmp_path / "not-a-recording"
    file.write_bytes(text.encode("latin-1"))
    failed = sse.run("replay", "--listen", "127.0.0.1:0", "--stdout", file)
    error = failed.err.splitlines()[0]
    assert failed.status == 3 and failed.out == b""
    assert error.startswith("sse: error: ") and "not-a-recording" in error


def test_an_event_over_the_bound(sse, origin):
    def handler(connection):
        connection.head()
        connection.chunk("data: small\n\n")
        connection.chunk(b"data: " + b"x" * 5000)
        connection.wait_for_close()

    failed = sse.run("tail", "--max-event-bytes", "1kb", origin(handler).url)
    error, hint = two_lines(failed)
    assert failed.status == 3 and failed.out == b"small\n"
    assert "1024 bytes" in error and "--max-event-bytes" in hint


def test_invalid_utf8_is_replaced_and_goes_on(sse, wire):
    server = sse.serve(input=b"a\xff\xe2\x82b\nnext\n")
    assert [e.data for e in wire.get(server.url).events()] == ["a\ufffd\ufffdb", "next"]


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                                     b"hello\r\n\r\n", b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n",
                                     b"GET / HTTP/1.1\nHost: localhost\n\n"])
def test_a_request_of_garbage_harms_nobody(sse, wire, garbage):
    server = sse.serve()
    sock = wire.send(server.url, garbage)
    sock.shutdown(socket.SHUT_WR)  # whoever waits for more will not get it
    sock.settimeout(HANG)
    answer = sock.recv(65536)
    assert answer == b"" or re.match(rb"HTTP/1\.1 (400|408|505) ", answer), answer
    server.write("1\n")
    assert wire.get(server.url).events(1)[0].data == "1"


def test_a_request_that_never_ends_is_given_up(sse, wire):
    server = sse.serve("--head-timeout", "500ms")
    sock = wire.send(server.url, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    sock.settimeout(HANG)
    answer = b""
    while piece := sock.recv(65536):
        answer += piece
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    server.write("1\n")
    assert wire.get(server.url).events(1)[0].data == "1"


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_a_client_that_vanishes_leaves_nothing_behind(sse, wire, leave):
    server = sse.serve("--keepalive", "50ms")
    stays = wire.get(server.url)
    before = server.descriptors()
    for _ in range(20):
        gone = wire.get(server.url)
        leave(gone.sock)
    server.write("1\n")
    assert stays.events(1)[0].data == "1"
    poll("their descriptors to be closed", lambda: server.descriptors() <= before)


def test_a_full_disk_is_an_error(sse, origin):
    def handler(connection):
        connection.head()
        connection.chunk("data: x\n\n")
        connection.wait_for_close()

    with open("/dev/full", "wb") as full:
        failed = sse.run("tail", origin(handler).url, stdout=full)
    assert failed.status == 23
    assert "No space left on device" in failed.err and failed.err.startswith("sse: error: ")


@pytest.mark.parametrize("how", ["2>&-", "2>/dev/full", "2> >(true)"])
@pytest.mark.parametrize("args, status", [
    ("tail http://127.0.0.1:1/", 7), ("serve --history x", 2), ("nonsense", 2),
    ("serve --wait-clients 0 --listen 127.0.0.1:0 /dev/null", 0),
])
def test_a_message_that_cannot_be_written_changes_no_exit_status(sse, how, args, status):
    done = sse.start_program("bash", "-c", f"exec 3>&1; ({sse.binary} {args}; echo $? >&3) {how}")
    assert done.wait() == 0
    assert done.stdout.bytes == f"{status}\n".encode()


@pytest.mark.parametrize("file, said", [
    ("missing", "check the spelling"), (".", "a file in that directory"),
])
def test_a_file_that_cannot_be_served_has_a_way_out(sse, tmp_path, file, said):
    done = sse.run("serve", "--listen", "127.0.0.1:0", file, cwd=tmp_path)
    assert done.status == 23 and said in done.err.splitlines()[-1]


@pytest.mark.parametrize("form", ["data", "json", "sse", "raw", "pretty"])
@pytest.mark.parametrize("stop", [["-n", "2"], ["--until-data", "2"], ["-m", "500ms"], []])
@at_pace(0.1)
def test_an_output_that_cannot_be_written_is_no_success_however_it_ends(sse, form, stop):
    server = sse.serve("--on-eof", "hold" if stop else "exit", input=b"1\n2\n3\n")
    with open("/dev/full", "wb") as full:
        done = sse.run("tail", "-o", form, *stop, server.url, stdout=full)
    assert done.status == 23
    assert "sse: error: cannot write to standard output: No space left on device\nsse: hint: " in done.err


@pytest.mark.release  # a sanitizer has no room in so little
@pytest.mark.parametrize("args, said", [
    (["--exec", "true", "--jobs", "1000"], "cannot start 1000 threads for --jobs"),
    ([f"http://127.0.0.1:1/{n}" for n in range(200)], "cannot start a thread for each of 201 URLs"),
])
def test_more_threads_than_there_can_be_are_an_error_and_no_crash(sse, args, said):
    done = sse.start_program("bash", "-c", 'ulimit -v 500000; exec "$@"', "bash", sse.binary, "tail", ":1",
                             "--retry-connect", *args)
    assert done.wait() == 23
    assert done.stderr.text() == (f"sse: error: {said}: Resource temporarily unavailable\n"
                                  "sse: hint: run fewer processes or threads, or raise the limit with ulimit -u or ulimit -v\n")


@pytest.mark.parametrize("args", [["--stdout"], ["--info"], *[["--to", form] for form in ("jsonl", "sse", "har", "curl")]])
def test_what_replay_prints_and_cannot_has_a_way_out(sse, args, tmp_path):
    (tmp_path / "r.sse").write_text("data: x\n\n")
    with open("/dev/full", "wb") as full:
        done = sse.run("replay", tmp_path / "r.sse", *args, stdout=full)
    assert done.status == 23 and "No space left on device" in done.err
    assert done.err.splitlines()[1:] == ["sse: hint: free space on the disk, or redirect the output to another one"]


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["tail", "--help"]])
def test_help_that_nobody_gets_is_no_success(sse, args):
    with open("/dev/full", "wb") as full:
        done = sse.run(*args, stdout=full)
    assert done.status == 23
    assert done.err == ("sse: error: cannot write to standard output: No space left on device\n"
                        "sse: hint: free space on the disk, or redirect the output to another one\n")
    assert sse.start_program("bash", "-c", f"set -o pipefail; {sse.binary} {' '.join(args)} | true").wait() == 0


@pytest.mark.parametrize("stop", [["-n", "1"], ["--until-data", "1"]])
def test_a_state_that_cannot_be_kept_is_no_success(sse, tmp_path, stop):
    server = sse.serve("--on-eof", "hold", input=b"1\n")
    done = sse.run("tail", *stop, "--state", tmp_path / "no" / "x", server.url)
    assert done.status == 23 and "sse: hint: " in done.err
