"""`sse serve --tee`: in the middle of a pipe."""
import os
import socket

from support.deadline import poll


def finish(server, wire):
    stream = wire.get(server.url)
    events = [e.data for e in stream.events()]
    stream.close()
    return events, server.wait()


def test_the_input_comes_out_as_it_was(sse, wire):
    text = b"a\r\n\xff\0b\n\nno line end"
    server = sse.serve("--tee", input=text)
    events, status = finish(server, wire)
    assert status == 0 and len(events) == 4
    assert server.stdout.bytes == text


def test_it_comes_at_once(sse):
    server = sse.serve("--tee")
    server.write("half a li")
    server.stdout.wait("the piece", lambda b: b == b"half a li")


def test_without_it_stdout_is_silent(sse, wire):
    server = sse.serve(input=b"a\n")
    assert finish(server, wire) == (["a"], 0)
    assert server.stdout.bytes == b""


def test_several_inputs_come_out_line_by_line(sse, wire, tmp_path):
    fifos = [tmp_path / "one", tmp_path / "two"]
    for fifo in fifos:
        os.mkfifo(fifo)
    server = sse.serve("--tee", *fifos)
    writers = [os.open(fifo, os.O_WRONLY) for fifo in fifos]
    os.write(writers[0], b"half of ")
    os.write(writers[1], b"other\n")
    server.stdout.wait("a line", lambda b: b == b"other\n")
    os.write(writers[0], b"one\nlast")
    server.stdout.wait("a line", lambda b: b == b"other\nhalf of one\n")
    for writer in writers:
        os.close(writer)
    finish(server, wire)
    assert server.stdout.bytes == b"other\nhalf of one\nlast\n"


def test_a_reader_that_has_gone_ends_only_the_copy(sse, wire):
    read, write = os.pipe()
    server = sse.serve("--tee", stdout=write)
    os.close(write)
    os.close(read)
    server.write("a\n")
    server.stderr.wait_for("^sse: note: standard output was closed; --tee stops copying$")
    server.write("b\n")
    server.close_stdin()
    assert finish(server, wire) == (["a", "b"], 0)


def test_a_full_disk_ends_only_the_copy(sse, wire):
    with open("/dev/full", "wb") as full:
        server = sse.serve("--tee", stdout=full, input=b"a\nb\n")
    assert finish(server, wire) == (["a", "b"], 0)
    assert ("sse: warning: cannot write to standard output: No space left on device; "
            "--tee stops copying\n") in server.stderr.text()


def test_a_slow_reader_slows_the_input_and_a_stop_is_still_heard(sse):
    ours, theirs = socket.socketpair()  # nobody reads ours
    server = sse.serve("--tee", stdout=theirs, input=b"x" * 99 + b"\n" + b"y\n" * 1_000_000)
    theirs.close()
    poll("the copy has begun", lambda: ours.recv(1, socket.MSG_PEEK))
    server.signal(15)
    assert server.wait() == 0


def test_a_closed_stdout_is_no_socket_of_ours(sse, wire):
    server = sse.serve("--tee", "/dev/stdin", command="serve", input=b"a\n")
    assert finish(server, wire)[0] == ["a"]
    shell = sse.start_program("sh", "-c", 'exec "$0" serve --listen 127.0.0.1:0 --tee >&-',
                              sse.binary, input=b"a\nb\n")
    shell.stderr.wait_for(r"^sse: serving \S+$")
    shell.url = shell.stderr.wait_for(r"^sse: serving (\S+)$")[1]
    assert finish(shell, wire) == (["a", "b"], 0)
    assert "cannot write to standard output: Bad file descriptor" in shell.stderr.text()
