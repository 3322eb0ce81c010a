"""sse serve: what goes in comes out, once, whole and in order; where a client begins; how it ends."""
import json
import re
import signal
import select
import socket
import threading

import pytest
from support.deadline import HANG, Deadline, at_pace, poll
from support.eventstream import parse
from support.wire import request_bytes


def numbers(last, first=1):
    return [str(i) for i in range(first, last + 1)]


def lines(last):
    return "".join(f"{n}\n" for n in numbers(last))


def data(answer, count=None):
    texts = [e.data for e in answer.events(count)]
    if answer.ended:
        answer.close()  # as clients do; the server waits a while for it
    return texts


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "localhost:0", "0"])
def test_a_pipe_is_served_to_its_end_and_both_exit(sse, wire, listen):
    server = sse.serve("--listen", listen, input=lines(10))
    answer = wire.get(server.url)
    assert data(answer) == numbers(10)
    assert answer.status == 200 and answer.chunked
    ids = [e.id for e in answer.stream.events]
    assert len(set(ids)) == 10 and all("-" in i for i in ids)
    assert server.wait() == 0
    assert server.stdout.bytes == b""


def test_the_head_of_a_stream(sse, wire):
    answer = wire.get(sse.serve().url)
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert answer.header("cache-control") == "no-store, no-transform"
    assert answer.header("x-accel-buffering") == "no"
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("date").endswith(" GMT")
    names = [n.lower() for n, _ in answer.headers]
    assert len(names) == len(set(names))
    assert not [n for n in names if n.startswith("access-control") or n == "content-encoding"]


def test_events_leave_as_they_come(sse, wire):
    server = sse.serve()
    answer = wire.get(server.url)
    for n in numbers(5):
        server.write(n + "\n")
        assert data(answer, int(n)) == numbers(int(n))
    server.close_stdin()
    assert data(answer) == numbers(5) and answer.ended
    assert server.wait() == 0


def curl(sse, *args):
    process = sse.start_program("curl", "-sSN", "--max-time", "30", *args)
    assert process.wait() == 0, process.stderr.text()
    return [e.data for e in parse(process.stdout.bytes)]


@pytest.mark.parametrize("flags", [[], ["-0"], ["--http1.1", "-H", "Connection: close"],
                                   ["-H", "Accept: text/event-stream"]])
def test_curl_reads_it(sse, flags):
    server = sse.serve(input=lines(1000))
    assert curl(sse, *flags, server.url) == numbers(1000)
    assert server.wait() == 0


def test_a_unix_socket(sse, tmp_path):
    path = tmp_path / "s"
    server = sse.serve("--listen", f"unix:{path}", input=lines(3))
    assert server.url == f"unix:{path}"
    assert curl(sse, "--unix-socket", path, "http://any.example/") == numbers(3)
    assert server.wait() == 0
    assert not path.exists()


def test_a_unix_socket_that_a_killed_server_left_is_taken_over(sse, tmp_path):
    path = tmp_path / "s"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    server = sse.serve("--listen", f"unix:{path}", input=lines(3))
    assert curl(sse, "--unix-socket", path, "http://localhost/") == numbers(3)
    second = sse.serve("--listen", f"unix:{path}", input=lines(3))
    assert server.wait() == 0 and second.running


def test_several_addresses_serve_one_stream(sse, wire, tmp_path):
    server = sse.serve("--listen", "127.0.0.1:0", "--listen", f"unix:{tmp_path}/s",
                       "--listen", "[::1]:0", "--wait-clients", "3", input=lines(5))
    server.stderr.wait_for(r"(?:^sse: serving \S+\n){3}")
    urls = re.findall(r"^sse: serving (\S+)$", server.stderr.text(), re.MULTILINE)
    for url in urls:
        assert data(wire.get(url)) == numbers(5)
    assert server.wait() == 0


def test_a_port_file_has_the_port(sse, tmp_path):
    file = tmp_path / "port"
    server = sse.serve("--port-file", file)
    assert server.url == f"http://127.0.0.1:{file.read_text().strip()}/"
    assert [f.name for f in tmp_path.iterdir()] == ["port"]


@pytest.mark.parametrize("threads", [1, 3])
def test_it_waits_for_as_many_clients_as_it_was_told(sse, wire, threads):
    server = sse.serve("--wait-clients", "4", "--threads", threads, input=lines(100))
    together = [wire.get(server.url) for _ in range(2)]
    for answer in together:
        assert data(answer) == numbers(100)
    for _ in range(2):
        assert server.running
        assert data(wire.get(server.url)) == numbers(100)
    assert server.wait() == 0


@pytest.mark.parametrize("how", ["header", "query", "escaped query", "both"])
def test_a_client_resumes_after_the_last_event_it_has(sse, wire, how):
    text = "".join(json.dumps({"id": f"é {n}", "data": n}) + "\n" for n in numbers(9))
    server = sse.serve("--input", "json", "--wait-clients", "2", input=text)
    assert data(wire.get(server.url)) == numbers(9)
    raw = "é 4".encode().decode("latin-1")
    url, headers = server.url, {}
    if how in ("header", "both"):
        headers = {"Last-Event-ID": raw}
    if how == "query":
        url += "?x=1&last_event_id=%c3%a9+4"
    if how == "escaped query":
        url += "?last_event_id=%C3%A9%204&y"
    if how == "both":
        url += "?last_event_id=8"
    answer = wire.get(url, headers=headers)
    assert data(answer) == numbers(9, 5)
    assert answer.header("sse-gap") is None and answer.stream.comments == []


def test_a_resume_at_every_event(sse, wire):
    server = sse.serve("--on-eof", "hold", input=lines(20))
    first = wire.get(server.url)
    assert data(first) == numbers(20)
    for n, event in enumerate(first.stream.events[:-1], 1):
        again = wire.get(server.url, headers={"Last-Event-ID": event.id})
        assert data(again) == numbers(20, n + 1)
    last = first.stream.events[-1].id
    for url, headers in ((server.url, {"Last-Event-ID": last}),
                         (server.url + "?last_event_id=" + last, {})):
        done = wire.get(url, headers=headers)
        assert (done.status, done.header("content-type"), done.header("content-length")) == (204, None, None)
    assert data(wire.get(server.url)) == numbers(20)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


@pytest.mark.parametrize("last_id", ["nobody", "18446744073709551616-0", "../..", "[1]", "a%0d%0adata: x",
                                     "\x80\xff", "x" * 8192, "data: x", "9 9 "])
def test_an_id_that_is_not_held_is_a_gap_that_is_told(sse, wire, last_id):
    server = sse.serve("--history", "5", "--overflow", "drop", "--on-eof", "hold", input=lines(20))
    whole = poll("the end of the input", lambda: (a := wire.get(server.url)) and data(a, 5) == numbers(20, 16) and a)
    assert data(whole) == numbers(20, 16)
    answer = wire.get(server.url, headers={"Last-Event-ID": last_id})
    assert answer.status == 200 and answer.header("sse-gap") == "true"
    assert data(answer) == numbers(20, 16)
    assert [c for c in answer.stream.comments if "gap" in c]
    assert last_id.encode("latin-1") not in answer.head + answer.body + server.stderr.bytes


@pytest.mark.parametrize("start, first", [("oldest", 1), ("new", 21), ("5", 16), ("0", 21), ("100", 1)])
def test_a_client_without_an_id_begins_where_start_says(sse, wire, start, first):
    server = sse.serve("--start", start, "--admin", "127.0.0.1:0", input=None)
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    server.write(lines(20))
    poll("all to be held", lambda: b"\nsse_history_events 20\n" in wire.get(admin + "metrics").read_all())
    answer = wire.get(server.url)
    server.write("21\n")
    assert data(answer, 22 - first) == numbers(21, first)
    resumed = wire.get(server.url, headers={"Last-Event-ID": answer.stream.events[-1].id})
    server.write("22\n")
    assert data(resumed, 1) == ["22"]


@pytest.mark.parametrize("start", ["newest", "-1", "1x", "", "99999999999999999999"])
def test_a_start_that_is_none_is_refused(sse, start):
    result = sse.run("serve", f"--start={start}")
    error, hint = result.err.splitlines()
    assert result.status == 2 and error.startswith("sse: error: --start") and hint.startswith("sse: hint: ")


def test_a_gap_is_an_event_too_where_one_is_named(sse, wire):
    server = sse.serve("--gap-event", "gap", "--history", "5", "--overflow", "drop", "--on-eof", "hold", input=lines(20))
    poll("the end of the input", lambda: data(wire.get(server.url), 5) == numbers(20, 16))
    answer = wire.get(server.url, headers={"Last-Event-ID": "gone"})
    assert data(answer) == ['{"missed":null}', *numbers(20, 16)]
    assert [(e.event, e.id) for e in answer.stream.events][0] == ("gap", "")
    assert answer.header("sse-gap") == "true" and [c for c in answer.stream.comments if "gap" in c]


def test_where_a_stream_tells_its_reconnection_time(sse, wire):
    server = sse.serve("--retry", "2500ms", input=lines(1))
    answer = wire.get(server.url)
    assert data(answer) == ["1"] and answer.stream.retry == 2500
    assert answer.body.startswith(b"retry: 2500\n\n")


def test_silence_is_broken_by_comments(sse, wire):
    server = sse.serve("--keepalive", "50ms")
    answer = wire.get(server.url)
    for _ in range(3):
        assert answer.comment() == ""
    server.write("x\n")
    assert data(answer, 1) == ["x"]
    assert answer.comment() == "" and answer.stream.last_event_id == answer.stream.events[0].id


HARD = ["", " ", ":", " : ", "data: x", "data", "id: 7", "\0", "a\0b", "\u2028", "a\u2029b", "\x0b\x0c", "é",
        "\u0085", "\ufeff", "retry: 1", "\t", "event: x", "a\\nb", "\x7f\x1b[2J", "x" * 70_000]


def test_hard_lines_come_out_as_they_went_in(sse, wire):
    answer = wire.get(sse.serve(input="\n".join(HARD)).url)
    assert data(answer) == HARD
    crlf = wire.get(sse.serve(input="\r\n".join(HARD) + "\r\n").url)
    assert data(crlf) == HARD


def test_line_ends_in_data_stay_line_ends(sse, wire):
    answer = wire.get(sse.serve(input="a\rb\r\n\r\r\n").url)
    assert data(answer) == ["a\nb", "\n"]
    texts = ["a\nb", "a\r\nb", "\n", "\n\n", "a\n", "\nid: 1\n\ndata: x"]
    answer = wire.get(sse.serve("--input", "json", input="".join(json.dumps({"data": t}) + "\n" for t in texts)).url)
    assert data(answer) == [t.replace("\r\n", "\n") for t in texts]


def test_what_is_not_utf_8_becomes_replacement_characters(sse, wire):
    answer = wire.get(sse.serve(input=b"a\xffb\n\xc3\n\xe2\x80\nok\n").url)
    assert data(answer) == ["a\ufffdb", "\ufffd", "\ufffd", "ok"]


@pytest.mark.parametrize("field", ["event", "id"])
@pytest.mark.parametrize("byte", ["\n", "\r", "\0"])
def test_a_field_that_cannot_be_carried_is_skipped_with_its_line(sse, wire, field, byte):
    text = "".join(json.dumps(o) + "\n" for o in ({"data": 1}, {"data": 2, field: f"a{byte}data: x"}, {"data": 3}))
    server = sse.serve("--input", "json", input=text)
    assert data(wire.get(server.url)) == ["1", "3"]
    name = {"\n": "LF", "\r": "CR", "\0": "NUL"}[byte]
    server.stderr.wait_for(f"^sse: warning: skipped line 2 of standard input: .* contains {name}$")


def test_a_line_over_the_bound_is_skipped_with_its_number(sse, wire):
    server = sse.serve("--max-event-bytes", "1000", input=f"one\n{'x' * 1001}\n{'y' * 1000}\n{'z' * 10**6}")
    assert data(wire.get(server.url)) == ["one", "y" * 1000]
    assert server.wait() == 0
    warnings = [w for w in server.stderr.text().splitlines() if "warning" in w]
    assert warnings == [f"sse: warning: skipped line {n} of standard input: longer than 1000 bytes" for n in (2, 4)]


def test_a_stream_is_relayed_with_its_ids(sse, wire):
    text = "retry: 700\n\n:hi\n\nevent: t\ndata: 1\ndata: 2\nid: a\n\ndata: x\n\nid: b\ndata\n\ndata: unfinished"
    answer = wire.get(sse.serve("--input", "sse", input=text).url)
    answer.events()
    first, second, third = answer.stream.events
    assert (first.id, first.event, first.data) == ("a", "t", "1\n2")
    assert second.data == "x" and second.id not in ("", "a")
    assert (third.id, third.data) == ("b", "")
    assert answer.stream.comments[-1:] == ["hi"] and answer.stream.retry == 700


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_streams_well(sse, wire, number):
    server = sse.serve("--threads", "2")
    server.write(lines(3))
    answers = [wire.get(server.url) for _ in range(3)]
    for answer in answers:
        assert data(answer, 3) == numbers(3)
    server.signal(number)
    for answer in answers:
        assert answer.read_all().endswith(b"\n\n") and answer.ended
        answer.close()
    assert server.wait() == 0


def test_a_signal_ends_it_with_nobody_there(sse):
    # More than may be on its way into the history: the input waits for room. With less, its thread may end just as
    # the signal comes; with TSan, a signal that such a thread was to take is lost.
    server = sse.serve("--history", "1", input=lines(300_000))
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def stalled(wire, url):
    """A client that asks for the stream and does not read it."""
    host, port = url.removeprefix("http://").rstrip("/").rsplit(":", 1)
    sock = socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((host.strip("[]"), int(port)))
    sock.sendall(request_bytes(url))
    wire._socks.append(sock)
    return sock


def flood(mebibytes):
    return ("x" * 8191 + "\n") * (128 * mebibytes)


def listening(url):
    try:
        socket.create_connection(("127.0.0.1", int(url.rstrip("/").rsplit(":", 1)[1])), 1).close()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: it closed while this was in its queue
        return False
    return True


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_does_not_end_within_the_grace_is_cut(sse, wire, number, status):
    server = sse.serve("--grace", "200ms", input=flood(16))
    sock = stalled(wire, server.url)
    assert sock.recv(1)
    server.signal(number)
    assert server.wait() == status


def test_a_second_signal_ends_it_at_once(sse, wire):
    server = sse.serve("--grace", "1h", "--threads", "2", input=flood(16))
    sock = stalled(wire, server.url)
    assert sock.recv(1)
    server.signal(signal.SIGTERM)
    poll("the listener to close", lambda: not listening(server.url))
    assert server.running
    server.signal(signal.SIGTERM)
    assert server.wait() == 143


def write_in_background(server, text):
    def run():
        server.write(text)
        server.close_stdin()

    threading.Thread(target=run, daemon=True).start()


def rest_of(sock):
    """All that comes until the end of the connection."""
    deadline, pieces = Deadline(), []
    while not pieces or pieces[-1]:
        sock.settimeout(deadline.check("the end"))
        pieces.append(sock.recv(1 << 20))
    return b"".join(pieces)


def test_block_a_stalled_client_holds_the_others_up_for_the_stall_timeout_and_no_longer(sse, wire):
    server = sse.serve("--stall-timeout", "1s", "--history-bytes", "1mb")
    assert stalled(wire, server.url).recv(1)
    fast = wire.send(server.url, request_bytes(server.url))
    assert fast.recv(1)
    write_in_background(server, flood(16))
    got = rest_of(fast)
    assert got.count(b"\ndata: ") == 16 * 128 and got.endswith(b"\r\n0\r\n\r\n")
    assert server.wait() == 0


@at_pace(0.2)
def test_block_a_slow_client_holds_the_others_up_for_half_of_the_time_at_most(sse, wire, tmp_path):
    """It accepts a little all the time, so it never stalls, and would get through all of it in an hour."""
    log = tmp_path / "log"
    server = sse.serve("--stall-timeout", "1s", "--history-bytes", "64kb", "--access-log", log)
    slow = stalled(wire, server.url)
    fast = wire.send(server.url, request_bytes(server.url))
    assert slow.recv(1) and fast.recv(1)
    write_in_background(server, flood(64))
    got = []
    reader = threading.Thread(target=lambda: got.append(rest_of(fast)), daemon=True)
    reader.start()
    clock, cut = select.poll(), False
    for _ in range(1_500):  # at least 15 s: it is cut after 1 s in which the input has waited for it
        try:
            cut = not slow.recv(1_000)
        except ConnectionResetError:
            cut = True
        if cut:
            break
        clock.poll(10)
    assert cut
    assert poll("its line in the log", lambda: '"end":"cut"' in log.read_text())
    reader.join()
    assert got[0].endswith(b"\r\n0\r\n\r\n") and server.wait() == 0


@at_pace(0.5)
def test_a_slow_reader_is_not_a_stalled_one(sse, wire):
    server = sse.serve("--stall-timeout", "1s", input=flood(16))
    sock, got = wire.send(server.url, request_bytes(server.url)), 0
    clock = select.poll()
    for _ in range(25):  # 100 ms apart, and far from what makes room in the server's buffer
        sock.settimeout(HANG)
        got += len(sock.recv(48_000))
        clock.poll(100)
    assert got + len(rest_of(sock)) > 16 << 20


def test_disconnect_the_slow_client_is_cut_at_once(sse, wire):
    server = sse.serve("--overflow", "disconnect", "--history-bytes", "1mb", "--stall-timeout", "1h")
    sock = stalled(wire, server.url)
    fast = wire.get(server.url)
    server.write("first\n")
    assert data(fast, 1) == ["first"] and sock.recv(1)
    before = server.descriptors()
    for _ in range(16 * 128):
        server.write("x" * 8191 + "\n")
    server.close_stdin()
    poll("the slow client's descriptor to go", lambda: server.descriptors() < before)


def test_drop_the_slow_client_is_told_what_it_missed(sse, wire):
    server = sse.serve("--overflow", "drop", "--history", "100", "--wait-clients", "2")
    answer = wire.get(server.url)
    server.write(lines(1))
    assert data(answer, 1) == ["1"]
    fast = wire.get(server.url)
    total = 2000
    server.write("".join(f"{n} {'x' * 8000}\n" for n in range(2, total + 1)))
    server.close_stdin()
    fast.events()
    answer.events()
    for stream in (fast.stream, answer.stream):
        got = [int(e.data.split()[0]) for e in stream.events]
        missed = sum(int(c.split()[1]) for c in stream.comments if c.startswith(" missed "))
        assert got == sorted(set(got)) and got[-1] == total
        assert len(got) + missed == total
    assert [c for c in answer.stream.comments if "missed" in c]
    assert server.wait() == 0


def test_one_who_comes_back_for_nothing_more_has_been_served(sse, wire):
    server = sse.serve("--wait-clients", "2")
    late = wire.get(server.url)
    without = server.descriptors()
    early = wire.get(server.url)
    server.write("a\n")
    last = early.events(1)[0].id
    early.close()
    poll("it to be gone", lambda: server.descriptors() <= without)  # or it has had the whole stream
    server.close_stdin()
    assert data(late) == ["a"]
    assert wire.get(server.url, headers={"Last-Event-ID": last}).status == 204
    assert server.wait() == 0


def test_what_a_client_does_not_read_is_little(sse, wire):
    """What it was sent and never read is gone with it: it must be less than the history."""
    server = sse.serve("--admin", "127.0.0.1:0", input=(b"x" * 999 + b"\n") * 20_000)
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1] + "metrics"
    wire.send(server.url, request_bytes(server.url))
    sent = []

    def settled():
        text = wire.get(admin).read_all().decode()
        sent.append(int(re.search(r"^sse_sent_bytes_total (\d+)$", text, re.M)[1]))
        return sent[-1] > 0 and sent[-10:] == sent[-1:] * 10

    poll("it to take no more", settled)
    assert sent[-1] < 600_000
