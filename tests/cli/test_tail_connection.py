"""sse tail: connections that end, fail, come back: rules 3 to 17 of lib/protocol/RULES.md, and the
connection-level tests of the Web Platform Tests, LaunchDarkly's, undici and MCP."""
import json
import re
import socket
import subprocess
import time

import pytest

from support.deadline import HANG, at_pace
from support.ports import free_port
from support.steps import FAST, answers, closes, events, never_answers, no_content, script, silent
from support.wire import reset


def ids(server):
    return [r.header("Last-Event-ID") for r in server.requests]


# -- what opens a stream, and what does not

@pytest.mark.parametrize("content_type", [
    "text/event-stream", "text/event-stream;charset=windows-1252",
])
def test_types_that_open(sse, origin, content_type):
    def handler(c):
        c.head(content_type=content_type)
        c.chunk("data: \u00e9\n\n")
        c.end()
    tail = sse.run("tail", origin(handler).url, "--no-reconnect")
    assert (tail.status, tail.out.decode()) == (0, "\u00e9\n")


@pytest.mark.parametrize("status, content_type, body, said", [
    ("200 OK", "text/html", "<h1>\n  Log in</h1>", "returned 200 OK with text/html, not text/event-stream: <h1> Log in</h1>"),
    ("503 Unavailable", "text/event-stream", "data: x\n\n", "returned 503 Unavailable: data: x"),
    ("418 \x1b[2J", None, "\x1b]0;x\x07", "returned 418"),
])
def test_answers_that_are_errors(sse, origin, status, content_type, body, said):
    server = script(origin, answers(status, body, content_type=content_type))
    tail = sse.run("tail", server.url)
    assert (tail.status, tail.out) == (22 if "\x1b" not in status else 56, b"")
    if "\x1b" not in status:
        assert f"sse: error: {server.url} {said}" in tail.err or said in tail.err, tail.err
        assert tail.err.count("\n") == 2 and "\nsse: hint: " in tail.err
    assert "\x1b" not in tail.err and "\x07" not in tail.err
    assert len(server.requests) == 1  # rules 8 and 9: no second try


def test_an_error_body_that_never_ends_is_not_waited_for(sse, origin):
    def handler(c):
        c.head("500 Oops", content_type="text/plain")
        c.chunk("part of it")
        c.wait_for_close()
    tail = sse.run("tail", origin(handler).url)
    assert tail.status == 22
    assert "returned 500 Oops: part of it" in tail.err


def test_compression_that_nobody_asked_for_is_named(sse, origin):
    tail = sse.run("tail", script(origin, events("x", head=["Content-Encoding: gzip"])).url)
    assert tail.status == 22
    assert "returned 200 OK with Content-Encoding gzip, which was not requested" in tail.err


def test_204_ends_it_well(sse, origin):
    server = script(origin, no_content)
    tail = sse.run("tail", server.url)
    assert (tail.status, tail.out, tail.err) == (0, b"", "")
    assert len(server.requests) == 1


def test_204_ends_it_well_after_events(sse, origin):
    server = script(origin, events(FAST, "data: 1\n\n"), events("data: 2\n\n"), no_content)
    tail = sse.run("tail", server.url)
    assert (tail.status, tail.out) == (0, b"1\n2\n")
    assert len(server.requests) == 3


def test_204_before_what_was_waited_for_is_1(sse, origin):
    assert sse.run("tail", script(origin, no_content).url, "-n", "1").status == 1


def test_a_redirect_to_204_ends_it_well(sse, origin):
    server = script(origin, answers("302 Found", "", "Location: /gone"), no_content)
    assert sse.run("tail", server.url).status == 0


# -- reconnecting

def test_it_reconnects_with_the_last_event_id(sse, origin):
    server = script(origin, events(FAST + "id: 1\ndata: a\n\n"), events("data: b\n\nid: \u2026 x\n\n"),
                    events("data: c\n\n"), events("id\ndata: d\n\n"), events("data: e\n\n"), no_content)
    tail = sse.run("tail", server.url)
    assert (tail.status, tail.out) == (0, b"a\nb\nc\nd\ne\n")
    sent = "\u2026 x".encode().decode("latin-1")
    assert ids(server) == [None, "1", sent, sent, None, None]  # rule 44: carried over; empty: no header
    assert all(len(r.all("Last-Event-ID")) <= 1 for r in server.requests)


@pytest.mark.parametrize("args", [["--last-event-id", "5"], ["-H", "Last-Event-ID: 5"]])
def test_the_first_id_is_replaced_by_the_streams(sse, origin, args):
    server = script(origin, events(FAST + "data: a\n\n"), events("id: 9\ndata: b\n\n"),
                    events("id\ndata: c\n\n"), no_content)
    assert sse.run("tail", server.url, *args).status == 0
    assert ids(server) == ["5", "5", "9", None]


@pytest.mark.parametrize("wire, sent", [
    ("id: a\x00b\ndata: x\n\n", None),                 # rule 30
    ("id: \x01poison\ndata: x\n\n", None),             # rule 45
    ("id: a\tb\ndata: x\n\n", None),
    ("id:  x \ndata: x\n\n", "x"),
    ("id:   \ndata: x\n\n", None),
    ("id: " + "a" * 255 + "\ndata: x\n\n", "a" * 255),
    ("id: e5p3n<3k0k0s\ndata: x\n\n", "e5p3n<3k0k0s"),
    ('id: [{"topic":"a","offset":-1}]\ndata: x\n\n', '[{"topic":"a","offset":-1}]'),
    ("id: 100%25\ndata: x\n\n", "100%25"),
    ("id: " + "a" * 1_000_000 + "\ndata: x\n\n", None),
    ("data: x\n\nid: 7\ndata: unfinished\n", None),    # rule 27
], ids=lambda v: ascii(v)[:30])
def test_ids_and_what_is_sent_of_them(sse, origin, wire, sent):
    server = script(origin, events(FAST + wire), events("id: good\ndata: y\n\n"), no_content)
    tail = sse.run("tail", server.url)
    assert (tail.status, tail.out) == (0, b"x\ny\n"), tail.err
    assert ids(server) == [None, sent, "good"]  # and the next good id recovers


def test_the_id_goes_along_with_a_redirect_to_another_origin(sse, origin, tmp_path):
    there = script(origin, events(FAST + "id: 1\ndata: a\n\n"), events("data: b\n\n"), no_content)
    here = origin(answers("307 Moved", "", f"Location: {there.url}"))
    path = tmp_path / "run.jsonl"
    assert sse.run("tail", here.url, "-H", "Last-Event-ID: 0", "--record", path).status == 0
    assert ids(here) == ids(there) == ["0", "1", "1"]
    head, *lines = map(json.loads, path.read_text().splitlines())
    assert head["request"]["headers"]["Last-Event-ID"] == "0"
    assert [line["open"]["last_event_id"] for line in lines if "open" in line] == ["1"]


def test_a_gap_that_the_server_tells_of_is_told(sse, origin):
    gap = events("id: 2\ndata: b\n\n", head=["Sse-Gap: true"])
    server = script(origin, events(FAST, head=["Sse-Gap: true"]), events("id: 1\ndata: a\n\n"), gap, no_content)
    tail = sse.run("tail", server.url)
    assert (tail.status, tail.out) == (0, b"a\nb\n")
    assert tail.err == f"sse: warning: {server.url} no longer has event 1: events may be missing or repeated\n"


def test_a_reconnection_goes_to_the_original_url(sse, origin):
    """Rule 46."""
    def handler(c):
        if c.request.target == "/":
            return answers("301 Moved", "", "Location: /there")(c)
        if len(c.origin.requests) > 4:
            return no_content(c)
        events(FAST + "id: 1\ndata: x\n\n")(c)
    server = origin(handler)
    assert sse.run("tail", server.url).status == 0
    assert [r.target for r in server.requests] == ["/", "/there"] * 3
    assert ids(server) == [None, None, "1", "1", "1", "1"]


def waits(tail):
    """How long it waited before each connection, in seconds, as it says with -v."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    return [float(n) * units[unit] for n, unit in re.findall(r"connecting(?: again)? in ([\d.]+)(ms|[smh])\b", tail.err)]


@pytest.mark.parametrize("retry", [500, 2000])
def test_the_servers_retry_is_kept_for_a_clean_end(sse, origin, retry):
    times = []

    def handler(c):
        times.append(time.monotonic())
        if c.number == 1:
            return no_content(c)
        c.head()
        c.chunk(f"id: 1\nretry: {retry}\ndata:\n\n")  # MCP's priming event
        c.end()
        times.append(time.monotonic())
    tail = sse.run("tail", origin(handler).url, "-v")
    assert (tail.status, waits(tail)) == (0, [retry / 1000])
    assert times[2] - times[1] >= retry / 1000 - 0.01


@pytest.mark.parametrize("retry", ["0", "00", "1"])
def test_a_tiny_retry_is_no_storm(sse, origin, retry):
    server = script(origin, *[events(f"retry: {retry}\ndata: x\n\n")] * 5, no_content)
    tail = sse.run("tail", server.url, "-v")
    assert tail.status == 0
    assert len(waits(tail)) == 5 and all(0.1 <= wait <= 0.5 for wait in waits(tail))


@pytest.mark.parametrize("retry", ["2147483648", "9" * 40, "18446744073709551616"])
def test_a_huge_retry_is_valid_and_is_interruptible(sse, origin, retry):
    server = script(origin, events(f"retry: {retry}\ndata: x\n\n"))
    tail = sse.start("tail", server.url)
    tail.stdout.wait_for("x")
    tail.signal(15)
    assert tail.wait() == 143
    assert len(server.requests) == 1


@pytest.mark.parametrize("retry", ["1000x", "-1", "+5", "0x10", " 5 ", ""])
def test_a_bad_retry_is_ignored(sse, origin, retry):
    server = script(origin, events(f"retry: 1\nretry:{retry}\ndata: x\n\n"), no_content)
    tail = sse.run("tail", server.url, "-v")
    assert (tail.status, waits(tail)) == (0, [0.1])


def test_a_server_that_closes_at_once_is_backed_off_from(sse, origin):
    server = script(origin, events(FAST + "data: x\n\n"), *[closes, events(end=True)] * 3, no_content)
    tail = sse.run("tail", server.url, "-v")
    assert tail.status == 0
    assert len(waits(tail)) == 7 and min(waits(tail)) >= 0.1 and sum(waits(tail)) > 1  # not 0.7: some are longer


def test_what_breaks_after_it_was_open_is_tried_again(sse, origin):
    def rst(c):
        c.head()
        c.chunk("data: 2\n\n")
        c.chunk("data: half")
        reset(c.sock)
    server = script(origin, events(FAST + "data: 1\n\n", "data: never", end=False), closes, rst,
                    answers("503 Busy"), answers("500 Oops"), answers("502 Bad"), answers("504 Late"),
                    answers("429 Slow", "", "Retry-After: 0"), events("data: 3\n\n"), no_content)
    tail = sse.run("tail", server.url, "--retry-max", "100ms")
    assert (tail.status, tail.out) == (0, b"1\n2\n3\n"), tail.err
    assert len(server.requests) == 10


@pytest.mark.parametrize("status", ["404 Not Found"])
def test_other_statuses_end_it_even_after_it_was_open(sse, origin, status):
    server = script(origin, events(FAST + "data: 1\n\n"), answers(status), no_content)
    tail = sse.run("tail", server.url)
    assert (tail.status, tail.out) == (22, b"1\n")
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", ["503 Busy", "429 Slow"])
def test_retry_after_is_respected(sse, origin, status):
    times = []

    def handler(c):
        times.append(time.monotonic())
        [answers(status, "", "Retry-After: 1"), no_content][c.number](c)
    tail = sse.run("tail", origin(handler).url, "--retry-connect", "--retry", "100ms", "-v")
    assert (tail.status, waits(tail)) == (0, [1])
    assert times[1] - times[0] >= 0.99


def test_a_terminal_is_told_while_it_is_away(sse, origin):
    """And nobody else is; nor of what is over before it could be read."""
    steps = [events("retry: 1000\ndata: 1\n\n"), events(FAST, "data: 2\n\n"), no_content]
    tail = sse.at_terminal("tail", script(origin, *steps).url, fds=[2])
    assert (tail.wait(), tail.stdout.bytes) == (0, b"1\n2\n")
    assert tail.stderr.text() == ("sse: note: reconnecting in 1s: the stream ended\r\n"
                                  "sse: note: reconnected\r\n")
    assert sse.run("tail", script(origin, *steps).url).err == ""


def test_what_was_heard_stands_above_why_it_ended(sse, origin):
    tail = sse.at_terminal("tail", script(origin, events("retry: 1000\ndata: 1\n\n"), no_content).url, "-o", "data")
    assert tail.wait() == 0
    assert tail.stdout.text() == "1\r\nsse: note: reconnecting in 1s: the stream ended\r\n"


def test_retries_is_a_bound_on_failures_in_a_row(sse, origin):
    server = script(origin, events(FAST + "data: 1\n\n"), closes, closes, events("data: 2\n\n"), closes, closes, closes)
    tail = sse.run("tail", server.url, "--retries", "2", "--retry-max", "100ms")
    assert (tail.status, tail.out) == (56, b"1\n2\n")
    assert "sse: error: the server closed the connection without a response" in tail.err
    assert len(server.requests) == 7


@pytest.mark.parametrize("end", [True, False], ids=["ended", "cut"])
@pytest.mark.parametrize("quiet", ["comment", "silence"])
def test_a_quiet_stream_is_no_failure(sse, origin, quiet, end):
    def held(c):
        c.head()
        if quiet == "comment":
            c.chunk(":\n\n")
        else:
            c.sock.settimeout(0.25)  # longer than the reconnection time
            with pytest.raises(TimeoutError):
                c.sock.recv(1)
        if end:
            c.end()
    server = script(origin, *[held] * 4, no_content)
    tail = sse.run("tail", server.url, "--retry", "100ms", "--retries", "1")
    assert (tail.status, len(server.requests)) == (0, 5), tail.err


def test_no_reconnect_ends_with_the_stream(sse, origin):
    server = script(origin, events("data: 1\n\n"))
    assert sse.run("tail", server.url, "--no-reconnect").status == 0
    assert len(server.requests) == 1


def test_no_reconnect_tells_a_cut_stream_from_an_ended_one(sse, origin):
    tail = sse.run("tail", script(origin, events("data: 1\n\n", end=False)).url, "--no-reconnect")
    assert (tail.status, tail.out) == (56, b"1\n")
    assert "sse: error: the server closed the connection before the last chunk" in tail.err


def test_a_post_is_not_repeated_unless_asked(sse, origin):
    steps = [events(FAST + "id: 1\ndata: 1\n\n"), events("data: 2\n\n"), no_content]
    server = script(origin, *steps)
    tail = sse.run("tail", server.url, "-d", "x=1")
    assert (tail.status, tail.out) == (0, b"1\n")
    assert len(server.requests) == 1
    server = script(origin, *steps)
    tail = sse.run("tail", server.url, "-d", "x=1", "--reconnect")
    assert (tail.status, tail.out) == (0, b"1\n2\n")
    assert [(r.method, r.body) for r in server.requests] == [("POST", b"x=1")] * 3


def test_a_post_is_resumed_with_get_where_that_is_asked_for(sse, origin):
    """MCP's Streamable HTTP: the answer to a POST goes on under a GET, after the time of `retry`."""
    server = script(origin, events(FAST + "id: 1\ndata: 1\n\n"), events("id: 2\ndata: 2\n\n", "data: cut", end=False),
                    events("data: 3\n\n"), no_content)
    tail = sse.run("tail", server.url, "--json", "{}", "-H", "Mcp-Session-Id: s", "--resume-get")
    assert (tail.status, tail.out) == (0, b"1\n2\n3\n"), tail.err
    assert [(r.method, r.body, r.header("Last-Event-ID")) for r in server.requests] == [
        ("POST", b"{}", None), ("GET", b"", "1"), ("GET", b"", "2"), ("GET", b"", "2")]
    assert {r.header("Mcp-Session-Id") for r in server.requests} == {"s"}
    assert [r.header("Content-Type") for r in server.requests] == ["application/json", None, None, None]


@pytest.mark.parametrize("end, status", [(True, 0), (False, 56)])
def test_without_an_id_there_is_nothing_to_resume_a_post_from(sse, origin, end, status):
    server = script(origin, events("data: 1\n\n", end=end), no_content)
    tail = sse.run("tail", server.url, "--json", "{}", "--resume-get")
    assert (tail.status, tail.out, len(server.requests)) == (status, b"1\n", 1)


def test_a_post_that_never_opened_is_not_made_a_get(sse, origin):
    server = script(origin, answers("503 Busy"), no_content)
    tail = sse.run("tail", server.url, "--json", "{}", "--resume-get", "--last-event-id", "7", "--retry-connect")
    assert (tail.status, [r.method for r in server.requests]) == (0, ["POST", "POST"])


def test_a_redirect_on_reconnecting_is_followed(sse, origin):
    there = origin(events("data: 2\n\n"))
    here = script(origin, events(FAST + "id: 1\ndata: 1\n\n"), answers("307 Moved", "", f"Location: {there.url}"), no_content)
    tail = sse.run("tail", here.url, "-H", "Authorization: Bearer s")
    assert (tail.status, tail.out) == (0, b"1\n2\n")
    assert ids(here) == [None, "1", "1"] and ids(there) == ["1"]
    assert {r.header("Authorization") for r in here.requests} == {"Bearer s"}
    assert there.requests[0].header("Authorization") is None


def test_each_connection_may_begin_with_its_own_byte_order_mark(sse, origin):
    server = script(origin, events("\ufeff" + FAST, "data: 1\n\n"), events("\ufeffdata: 2\n\n"), no_content)
    assert sse.run("tail", server.url).out == b"1\n2\n"


def test_a_stream_is_open_before_anything_is_said(sse, origin):
    """And a comment is told at its own line end."""
    server = script(origin, silent(": hi\n"))
    tail = sse.start("tail", server.url, "-v")
    tail.stderr.wait_for("stream open")
    tail.stderr.wait_for("comment: hi")
    tail.signal(2)
    assert tail.wait() == 130


def test_any_reads_a_stream_whatever_its_head_says(sse, origin):
    server = script(origin, answers("404 Not Found", "data: x\n\n", content_type="text/plain"))
    tail = sse.run("tail", server.url, "--any", "--no-reconnect")
    assert (tail.status, tail.out, tail.err) == (0, b"x\n", "")


def test_one_json_response_where_accept_offered_it_is_one_event(sse, origin):
    server = script(origin, answers("200 OK", '{"jsonrpc":"2.0"}', content_type="application/json"))
    tail = sse.run("tail", server.url, "--json", "{}")
    assert (tail.status, tail.out, tail.err) == (0, b'{"jsonrpc":"2.0"}\n', "")


def test_cookies_are_kept_for_the_run_unless_told_otherwise(sse, origin):
    cookie = events(FAST + "data: x\n\n", head=["Set-Cookie: s=1; HttpOnly"])
    for args, sent in (([], [None, "s=1"]), (["--no-cookies"], [None, None])):
        server = script(origin, cookie, no_content)
        assert sse.run("tail", server.url, *args).status == 0
        assert [r.header("Cookie") for r in server.requests] == sent


def test_verbose_shows_no_secret_of_a_head_or_a_url(sse, origin):
    def handler(c):
        c.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nSet-Cookie:session=SECRET\r\n also=SECRET\r\n\r\n")
    tail = sse.run("tail", origin(handler).url + "?access_token=SECRET", "-v", "--no-reconnect", "--stats")
    assert tail.status == 0 and "SECRET" not in tail.err
    assert "sse: note: < Set-Cookie: ***\n" in tail.err and "?access_token=***" in tail.err


# What curl does without: where only `lo` is up, this flag hides the addresses of /etc/hosts.
ONLY_LO = """
#include <cstring>
#include <dlfcn.h>
#include <netdb.h>
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** list) {
    if (host && !std::strcmp(host, "only-hosts.test")) {
        if (hints->ai_flags & AI_NUMERICHOST) return EAI_NONAME;
        if (hints->ai_flags & AI_ADDRCONFIG) return EAI_ADDRFAMILY;
        host = "127.0.0.1";
    }
    using F = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    return reinterpret_cast<F>(dlsym(RTLD_NEXT, "getaddrinfo"))(host, service, hints, list);
}
"""


@pytest.mark.release  # a sanitizer wants to be loaded first
@pytest.mark.parametrize("family", [[], ["-4"]])
def test_a_name_of_etc_hosts_is_found_while_only_lo_is_up(sse, origin, tmp_path, family):
    library = tmp_path / "only_lo.so"
    subprocess.run(["c++", "-xc++", "-shared", "-fPIC", "-o", library, "-"], input=ONLY_LO.encode(), check=True)
    port = origin(events("data: x\n\n")).port
    tail = sse.run("tail", f"http://only-hosts.test:{port}/", "--no-reconnect", *family, env={"LD_PRELOAD": str(library)})
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err


NO_IPV6 = """
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
extern "C" int socket(int family, int type, int protocol) noexcept {
    if (family == AF_INET6) return errno = EAFNOSUPPORT, -1;
    return reinterpret_cast<int (*)(int, int, int)>(dlsym(RTLD_NEXT, "socket"))(family, type, protocol);
}
"""


@pytest.mark.release  # a sanitizer wants to be loaded first
def test_a_machine_without_ipv6_reaches_a_name_that_has_such_an_address(sse, origin, tmp_path):
    library = tmp_path / "no_ipv6.so"
    subprocess.run(["c++", "-xc++", "-shared", "-fPIC", "-o", library, "-"], input=NO_IPV6.encode(), check=True)
    port = origin(events("data: x\n\n")).port
    tail = sse.run("tail", f"http://localhost:{port}/", "--no-reconnect", env={"LD_PRELOAD": str(library)})
    assert (tail.status, tail.out) == (0, b"x\n"), tail.err
    tail = sse.run("tail", f"http://[::1]:{port}/", env={"LD_PRELOAD": str(library)})
    assert tail.status == 7 and "Address family not supported" in tail.err


def test_an_ipv6_address(sse):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        tail = sse.start("tail", f"http://[::1]:{port}/", "-n", "1")
        conn, _ = listener.accept()
        assert f"Host: [::1]:{port}\r\n".encode() in conn.recv(65536)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")
        assert (tail.wait(), tail.stdout.bytes) == (0, b"x\n")
        conn.close()


def test_a_server_that_ended_its_stream_and_left_ends_it_well(sse, origin):
    def handler(c):
        c.head()
        c.chunk(FAST + "data: 1\n\n")
        c.origin.stop_listening()
        c.end()
    tail = sse.run("tail", origin(handler, port=free_port()).url)
    assert (tail.status, tail.out, tail.err) == (0, b"1\n", "")


def test_a_server_that_died_is_waited_for(sse, origin):
    """Its stream was cut, so it may come back, on the same port."""
    first = script(origin, events(FAST + "id: 1\ndata: 1\n\n", end=False), port=free_port())
    tail = sse.start("tail", first.url, "--retry-max", "100ms")
    tail.stdout.wait_for("1")
    first.close()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", first.port))
        time.sleep(0)  # bound and not listening: refused
        listener.listen()
        listener.settimeout(HANG)
        conn, _ = listener.accept()
        assert b"Last-Event-ID: 1\r\n" in conn.recv(65536)
        conn.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        conn.close()
    assert tail.wait() == 0


# -- a first connection that fails

def test_nobody_listens(sse):
    port = free_port()
    tail = sse.run("tail", f":{port}")
    assert tail.status == 7
    assert tail.err == (f"sse: error: cannot connect to localhost:{port}: Connection refused\n"
                        "sse: hint: check the address, or use --retry-connect to wait for the server\n")


def test_retry_connect_waits_for_a_server(sse, origin):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        tail = sse.start("tail", f"127.0.0.1:{port}", "--retry-connect", "--retry-max", "100ms", "--retry", "50ms")
        listener.listen()
        listener.settimeout(HANG)
        conn, _ = listener.accept()
        conn.recv(65536)
        conn.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        conn.close()
    assert tail.wait() == 0


def test_an_unknown_host(sse):
    tail = sse.run("tail", "http://no-such-host.invalid/x")
    assert tail.status == 6
    assert tail.err.startswith("sse: error: cannot resolve no-such-host.invalid: ")
    assert tail.err.endswith("\nsse: hint: check the host name in the URL\n")


def test_a_connection_that_is_never_accepted_times_out(sse):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        full = [socket.socket() for _ in range(4)]
        for s in full:  # its backlog is full: further SYNs are dropped
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
        tail = sse.run("tail", f"127.0.0.1:{port}", "--connect-timeout", "300ms")
        for s in full:
            s.close()
    assert tail.status == 28
    assert f"sse: error: cannot connect to 127.0.0.1:{port}: timed out" in tail.err


# -- times and signals

@pytest.mark.parametrize("step", [never_answers, silent(), silent("data: x\n\n"), silent("data: half")])
def test_max_time_is_28(sse, origin, step):
    tail = sse.run("tail", script(origin, step).url, "-m", "300ms")
    assert tail.status == 28
    assert tail.err == "sse: error: the time limit of 300ms has passed\nsse: hint: raise the limit with --max-time\n"


@pytest.mark.parametrize("zero", ["0", "0ms"])
@pytest.mark.parametrize("flag", ["-m", "--idle-timeout", "--connect-timeout", "--read-timeout"])
def test_0_is_no_limit(sse, origin, flag, zero):
    server = script(origin, events(FAST + "data: x\n\n"), no_content)
    tail = sse.run("tail", server.url, flag, zero)
    assert (tail.status, tail.out, tail.err) == (0, b"x\n", "")


def test_less_than_a_millisecond_is_a_limit(sse, origin):
    assert sse.run("tail", script(origin, never_answers).url, "-m", "1us").status == 28


def test_max_time_also_counts_under_load(sse, origin):
    def handler(c):
        c.head()
        while True:
            c.chunk("data: x\n\n" * 1000)
    with open("/dev/null", "wb") as null:
        assert sse.run("tail", origin(handler).url, "-m", "300ms", stdout=null).status == 28


@pytest.mark.parametrize("step", [never_answers, silent(), silent("data: x\n\n"), silent("data: half")])
def test_idle_timeout_is_28(sse, origin, step):
    tail = sse.run("tail", script(origin, step).url, "--idle-timeout", "300ms")
    assert tail.status == 28
    assert tail.err == ("sse: error: no data arrived for 300ms\n"
                        "sse: hint: raise the limit with --idle-timeout\n")


@pytest.mark.parametrize("flag", ["--idle-timeout", "--read-timeout"])
@at_pace(0.1)
def test_any_byte_is_life(sse, origin, flag):
    def handler(c):
        c.head()
        for piece in [":\n", "d", "a", "t", "a", ":", "x\n\n"]:
            c.chunk(piece)
            time.sleep(0.1)  # what is tested is time
        c.end()
    tail = sse.run("tail", origin(handler).url, flag, "500ms", "--no-reconnect")
    assert (tail.status, tail.out) == (0, b"x\n")


def test_idle_timeout_also_counts_while_it_reconnects(sse, origin):
    server = script(origin, events(FAST + "data: x\n\n"), closes)
    tail = sse.run("tail", server.url, "--idle-timeout", "500ms", "--retry-max", "50ms")
    assert tail.status == 28


@at_pace(0.1)
def test_read_timeout_connects_again(sse, origin):
    server = script(origin, silent(FAST + "id: 1\ndata: x\n\ndata: half"), events("data: y\n\n"), no_content)
    tail = sse.run("tail", server.url, "--read-timeout", "300ms")
    assert (tail.status, tail.out) == (0, b"x\ny\n"), tail.err
    assert ids(server) == [None, "1", "1"]


@pytest.mark.parametrize("number, status", [(2, 130), (15, 143), (1, 129)])
def test_signals_while_streaming(sse, origin, number, status):
    tail = sse.start("tail", script(origin, silent("data: x\n\n")).url)
    tail.stdout.wait_for("x")
    tail.signal(number)
    assert tail.wait() == status
    assert tail.stderr.text() == ""


def test_signals_before_the_answer(sse, origin):
    server = script(origin, never_answers)
    tail = sse.start("tail", server.url)
    server.wait_requests(1)
    tail.signal(2)
    assert tail.wait() == 130


def test_signals_during_backoff_make_no_further_attempt(sse, origin):
    server = script(origin, events("retry: 60000\ndata: x\n\n"))
    tail = sse.start("tail", server.url)
    tail.stdout.wait_for("x")
    tail.signal(15)
    assert tail.wait() == 143
    assert len(server.requests) == 1
