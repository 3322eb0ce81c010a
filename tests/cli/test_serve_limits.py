"""sse serve under many, slow, broken and hostile clients: what it holds stays bounded, and the
others are served."""
import json
import os
import random
import resource
import select
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from support.deadline import HANG, Deadline, at_pace, poll
from support.wire import Cut, reset

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


def port_of(server):
    return int(server.url.rstrip("/").rsplit(":", 1)[1])


def connections(server, state):
    """How many of its TCP connections are in that state (08 is CLOSE_WAIT)."""
    local = f"0100007F:{port_of(server):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for row in rows if row[1] == local and row[3] == state)


def cpu_seconds(server):
    fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settled(server, wire):
    """Its number of descriptors with no connection open."""
    wire.request(server.url, "HEAD").close()
    poll("no connection", lambda: connections(server, "01") + connections(server, "08") == 0)
    return server.descriptors()


def small_window(server):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port_of(server)))
    return sock


def is_closed(sock):
    sock.setblocking(False)
    try:
        return sock.recv(65536) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_slow_heads_have_a_deadline_and_keep_nobody_out(sse, wire):
    server = sse.serve("--head-timeout", "1s")
    before = settled(server, wire)
    slow = [wire.send(server.url, HEAD) for _ in range(200)]
    silent = [wire.connect(server.url) for _ in range(20)]
    answer = wire.get(server.url)
    server.write("x\n")
    assert [e.data for e in answer.events(1)] == ["x"]
    dripping, deadline = set(slow), Deadline()
    while dripping:  # a byte now and then keeps none of them
        deadline.check("slow clients to be refused")
        for sock in list(dripping):
            try:
                sock.send(b"A")
            except OSError:
                dripping.discard(sock)
        select_readable(dripping)
        for sock in list(dripping):
            sock.setblocking(False)
            try:
                got = sock.recv(4096)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                got = b""
            assert not got or got.startswith(b"HTTP/1.1 408 ")
            dripping.discard(sock)
            sock.close()
    poll("silent clients to be closed", lambda: all(is_closed(s) for s in silent))
    answer.close()
    poll("their descriptors to be closed", lambda: server.descriptors() <= before)


def select_readable(socks):
    if socks:
        select.select(list(socks), [], [], 0.1)


def test_a_line_end_now_and_then_keeps_no_connection_open(sse, wire):
    server = sse.serve("--head-timeout", "300ms")
    sock = wire.connect(server.url)
    deadline = Deadline()
    while not is_closed(sock):
        deadline.check("the connection to be closed")
        try:
            sock.send(b"\r\n")
        except OSError:
            break
        select_readable([sock])


@pytest.mark.parametrize("threads", [1, 2])
def test_one_client_too_many_is_told_so(sse, wire, threads):
    server = sse.serve("--max-clients", "3", "--threads", threads)
    held = [wire.get(server.url) for _ in range(3)]
    refused = wire.get(server.url)
    assert refused.status == 503 and int(refused.header("retry-after")) > 0
    assert refused.read_all() == b"too many clients\n"
    refused.closed()
    held.pop().close()
    poll("a place to be free", lambda: try_get(wire, server.url))


def test_a_thousand_clients_too_many_are_refused(sse, wire):
    server = sse.serve("--max-clients", "2")
    held = [wire.get(server.url) for _ in range(2)]
    socks = [wire.send(server.url, HEAD + b"\r\n") for _ in range(1000)]
    got = []
    for sock in socks:
        sock.settimeout(HANG)
        try:
            got.append(sock.recv(4096)[:12])
        except ConnectionResetError:
            got.append(b"")
    assert set(got) <= {b"HTTP/1.1 503", b""} and b"HTTP/1.1 503" in got
    server.write("x\n")
    for answer in held:
        assert [e.data for e in answer.events(1)] == ["x"]


def test_refused_clients_and_idle_ones_hold_no_place(sse, wire):
    server = sse.serve("--max-clients", "20", "--on-eof", "hold", input=b"x\n")
    refused = [wire.request(server.url, "HEAD", headers={"Host": "evil.example"}) for _ in range(40)]
    assert {answer.status for answer in refused} == {403}
    poll("them to be closed", lambda: all(is_closed(answer.sock) for answer in refused))
    idle = [wire.request(server.url, "OPTIONS") for _ in range(20)]
    assert {answer.status for answer in idle} == {204}
    streams = [wire.get(server.url) for _ in range(20)]
    assert [answer.status for answer in streams] == [200] * 20


def test_bodies_without_a_token_cost_no_memory(sse, wire, tmp_path):
    (tmp_path / "tokens").write_text("t\n")
    server = sse.serve("--publish", "--publish-token-file", tmp_path / "tokens")
    before = server.rss_kib()
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n"
    socks = [wire.send(server.url, head) for _ in range(200)]
    for sock in socks:
        sock.settimeout(HANG)
        assert sock.recv(4096).startswith(b"HTTP/1.1 401 ")
        try:
            sock.sendall(b"x" * 500_000)
        except OSError:
            pass  # it has been closed
    assert server.rss_kib() - before < 20_000


def test_a_busy_server_makes_a_page_come_back(sse, wire):
    server = sse.serve("--max-clients", "1", "--busy", "retry")
    held = wire.get(server.url)
    busy = wire.get(server.url)
    assert busy.status == 200 and busy.header("content-type").startswith("text/event-stream")
    assert busy.read_all().startswith(b"retry: ")
    assert wire.request(server.url, "POST", body=b"x").status == 503
    assert held.status == 200


def test_a_stream_ends_at_its_maximum_time_and_is_resumed(sse, wire):
    server = sse.serve("--max-stream-time", "500ms", "--on-eof", "hold", input=b"1\n2\n")

    def whole_stream(**headers):
        return wire.get(server.url, headers=headers).events()  # to its end, which is a good one

    first, second = poll("both events", lambda: (lambda all_: len(all_) == 2 and all_)(whole_stream()))
    resumed = poll("the rest", lambda: whole_stream(**{"Last-Event-ID": first.id}))
    assert [e.data for e in resumed] == ["2"] and second.data == "2"


@pytest.mark.parametrize("flags, told", [(["--trusted-proxy", "127.0.0.0/8"], True), (["--trusted-proxy", "unix"], True), ([], False)])
def test_a_server_behind_a_proxy_names_the_check(sse, flags, told):
    server = sse.serve(*flags, "--path", "/feed")
    server.end()
    text = "sse: note: check whether the proxy delays or cuts streams with: sse check https://HOST/feed\n"
    assert (text in server.stderr.text()) is told


def test_behind_a_trusted_proxy_limits_and_log_are_of_the_client(sse, wire, tmp_path):
    log = tmp_path / "log"
    server = sse.serve("--trusted-proxy", "127.0.0.0/8", "--max-clients-per-address", "1",
                       "--access-log", log)
    def get(address):
        return wire.get(server.url, headers={"X-Forwarded-For": f"192.0.2.9, {address}"})
    held = get("192.0.2.1")
    assert (held.status, get("192.0.2.1").status, get("192.0.2.2").status) == (200, 503, 200)
    held.close()
    poll("a place", lambda: get("192.0.2.1").status == 200)
    poll("the log", lambda: '"address":"192.0.2.1"' in log.read_text())
    assert "127.0.0.1" not in log.read_text()


@pytest.mark.release
def test_the_operator_is_served_when_no_descriptor_is_left(sse, wire, tmp_path):
    recording = tmp_path / "run.jsonl"
    recording.write_text('{"sse":1}\n{"t":0,"data":"1"}\n{"t":1000,"data":"2"}\n')
    server = sse.start_program("prlimit", "--nofile=48:48", sse.binary, "replay", recording,
                               "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    url = server.stderr.wait_for(r"^sse: serving (\S+)$")[1]
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    socks = [wire.send(url, HEAD + b"\r\n") for _ in range(60)]
    statuses = set()
    for sock in socks:
        sock.settimeout(HANG)
        try:
            statuses.add(sock.recv(4096)[9:12])
        except (ConnectionResetError, socket.timeout):
            pass
        health = wire.get(admin + "healthz")
        assert health.status == 200
        health.close()
    assert b"503" in statuses and b"500" not in statuses
    assert server.stderr.text().count("warning:") <= 3


def test_the_admin_listener_has_a_limit_of_its_own(sse, wire):
    server = sse.serve("--admin", "127.0.0.1:0")
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    before = server.descriptors()
    idle = [wire.get(admin + "healthz") for _ in range(60)]
    assert {answer.status for answer in idle} == {200}
    assert server.descriptors() - before <= 32


@pytest.mark.release  # UBSan itself needs a descriptor
def test_without_descriptors_it_neither_spins_nor_dies(sse, wire):
    server = sse.start_program("prlimit", "--nofile=40:40", sse.binary, "serve", "--listen", "127.0.0.1:0")
    server.url = server.stderr.wait_for(r"^sse: serving (\S+)$")[1]
    socks = [wire.send(server.url, HEAD + b"\r\n") for _ in range(60)]
    before = cpu_seconds(server)
    streaming = lambda: [s for s in socks if not is_closed(s)]  # noqa: E731
    poll("those too many to be closed", lambda: len(streaming()) < 40)
    assert cpu_seconds(server) - before < 1.0
    for sock in socks:
        sock.close()
    answer = poll("a place", lambda: try_get(wire, server.url))
    server.write("x\n")
    assert [e.data for e in answer.events(1)] == ["x"]


def try_get(wire, url):
    try:
        answer = wire.get(url)
    except Exception:  # closed without an answer: there was no descriptor for it
        return None
    return answer if answer.status == 200 else None


def test_the_soft_limit_of_descriptors_is_raised(sse):
    server = sse.start_program("prlimit", "--nofile=64:5000", sse.binary, "serve", "--listen", "127.0.0.1:0")
    server.stderr.wait_for(r"^sse: serving (\S+)$")
    limits = Path(f"/proc/{server.pid}/limits").read_text()
    assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files")] == [["5000", "5000"]]


def vanish(sock):
    """Closes without a word, as a machine that has lost its power."""
    TCP_REPAIR = 19
    try:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except PermissionError:
        pytest.skip("needs CAP_NET_ADMIN")
    sock.close()


@pytest.mark.parametrize("go", ["FIN", "RST", "vanish", "RST in the middle"])
def test_clients_that_go_leave_nothing_behind(sse, wire, go):
    server = sse.serve("--keepalive", "100ms")
    before = settled(server, wire)
    answers = [wire.get(server.url) for _ in range(50)]
    if go == "RST in the middle":
        server.write("".join(f"{'x' * 8000}\n" for _ in range(500)))
    for answer in answers:
        if go == "FIN":
            answer.close()
        elif go == "vanish":
            vanish(answer.sock)
        else:
            reset(answer.sock)
    ring = 1  # of io_uring, which the first event opens that is sent to several clients
    poll("their descriptors to be closed", lambda: server.descriptors() <= before + ring)
    assert connections(server, "08") == 0
    answer = wire.get(server.url)
    server.write("last\n")
    server.close_stdin()
    assert [e.data for e in answer.events()][-1] == "last"
    answer.close()
    assert server.wait() == 0


def test_half_closed_clients_leave_nothing_behind(sse, wire):
    server = sse.serve()
    before = settled(server, wire)
    socks = [wire.send(server.url, HEAD + b"\r\n") for _ in range(20)]
    for sock in socks:
        sock.shutdown(socket.SHUT_WR)
    for sock in socks:
        sock.settimeout(HANG)
        while sock.recv(4096):
            pass
    poll("their descriptors to be closed", lambda: server.descriptors() <= before)
    assert connections(server, "08") == 0


@at_pace(0.5)
def test_one_that_takes_little_at_a_time_is_no_stalled_client(sse, wire):
    """A window that opens by less than what waits is progress all the same."""
    server = sse.serve("--stall-timeout", "2s", "--history", "500")
    sock = small_window(server)
    sock.sendall(HEAD + b"\r\n")
    write_in_background(server, "".join(f"{n} {'x' * 200}\n" for n in range(5000)))
    sock.settimeout(HANG)
    got = 0
    for _ in range(28):
        time.sleep(0.25)  # it is how slow it is that counts
        piece = sock.recv(1024)
        assert piece, f"cut after {got} bytes"
        got += len(piece)
    sock.close()


def test_one_that_takes_nothing_of_what_fits_into_its_socket_is_cut_too(sse, wire):
    server = sse.serve("--stall-timeout", "1s", "--keepalive", "0")
    before = settled(server, wire)
    sock = small_window(server)
    sock.sendall(HEAD + b"\r\n")
    assert sock.recv(1)
    server.write("".join(f"{n} {'x' * 200}\n" for n in range(100)))
    poll("it to be cut", lambda: server.descriptors() <= before)
    assert wire.get(server.url).events(100)


def write_in_background(server, data):
    def run():
        try:
            server.write(data)
            server.close_stdin()
        except (OSError, ValueError):
            pass  # it has ended, or the test has

    threading.Thread(target=run, daemon=True).start()


@pytest.mark.release
@pytest.mark.parametrize("overflow", ["drop", "disconnect"])
def test_stalled_clients_cost_no_memory_and_hold_nobody_up(sse, wire, overflow):
    last = 40_000
    server = sse.serve("--overflow", overflow, "--history-bytes", "1mb", "--stall-timeout", "1h", "--on-eof", "hold")
    stalled = [small_window(server) for _ in range(30)]
    for sock in stalled:
        sock.sendall(HEAD + b"\r\n")
        assert sock.recv(1)
    before = server.rss_kib()
    write_in_background(server, "".join(f"{n} {'x' * 1000}\n" for n in range(1, last + 1)))
    poll("the last event", lambda: reads(wire, server, last))
    assert server.rss_kib() - before < 16_000
    for sock in stalled:
        sock.close()


def reads(wire, server, number):
    """True if a client's stream has that event, False if it was cut before."""
    sock = wire.send(server.url, HEAD + b"\r\n")
    sock.settimeout(HANG)
    wanted, tail = f"\ndata: {number} ".encode(), b""
    try:
        while piece := sock.recv(1 << 20):
            if wanted in tail + piece:
                return True
            tail = piece[-len(wanted):]
    except ConnectionResetError:
        pass
    return False  # too slow for --overflow disconnect


@pytest.mark.release
def test_a_history_of_large_events_is_as_large_as_it_may_be(sse, wire):
    server = sse.serve("--history-bytes", "20mb", "--overflow", "drop")
    answer = wire.get(server.url)
    for n in range(35):
        server.write(f"{n:04}{'x' * 1_000_000}\n")
        assert len(answer.events(n + 1)) == n + 1
    assert server.rss_kib() < 45_000


def read_by_many(sse, readers):
    """The most memory, in KiB, that the server had meanwhile."""
    server = sse.serve("--wait-clients", readers)
    client = sse.start("bench", "-o", "json", "-c", readers, "--warm-up", "0", "-t", "1h", "--connect-rate", "10000",
                       "--interval", "100ms", server.url)
    client.stderr.wait_for(rf"\b{readers:,} open")  # since then it measures
    server.write("".join(f"{n}\n" for n in range(1, 10_001)).encode())
    server.close_stdin()
    most = 0

    def done():
        nonlocal most
        try:
            most = max(most, server.rss_kib())
            assert server.threads() <= 3
        except (FileNotFoundError, ProcessLookupError, TypeError):
            pass  # it has ended
        return not client.running

    poll("all readers to have all", done)
    assert client.wait() == 0, client.stderr.text()
    result = json.loads(client.stdout.bytes)
    assert result["deliveries"] == 10_000 * readers and result["ended"] == readers
    assert [result[name] for name in ("lost", "duplicates", "disordered", "broken")] == [0, 0, 0, 0]
    assert server.wait() == 0
    return most


def test_hundreds_of_readers_all_get_every_line(sse):
    read_by_many(sse, 300)


@pytest.mark.release
def test_five_thousand_readers_all_get_every_line_from_64_mb_and_three_threads(sse):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 5200:
        pytest.skip("needs 5,200 descriptors")
    assert read_by_many(sse, 5000) < 64 * 1024


@pytest.mark.parametrize("overflow", ["block", "drop", "disconnect"])
@pytest.mark.parametrize("last", [signal.SIGTERM, None])
def test_clients_come_and_go_on_four_loops(sse, wire, overflow, last):
    """For the sanitizers, and for order: what is read is never out of order, and nothing hangs."""
    dice = random.Random(7)
    server = sse.serve("--threads", "4", "--history", "50", "--overflow", overflow, "--keepalive", "20ms",
                       "--stall-timeout", "100ms", "--grace", "2s")
    stop = threading.Event()
    writer = threading.Thread(target=write_numbers, args=(server, stop), daemon=True)
    writer.start()
    seen, open_streams = "", []
    for _ in range(150):
        headers = {"Last-Event-ID": seen} if seen and dice.random() < 0.5 else {}
        answer = wire.get(server.url, headers=headers)
        assert answer.status == 200
        try:
            events = answer.events(dice.randrange(1, 20))
        except (Cut, ConnectionResetError):
            continue  # it was too slow for these options
        numbers = [int(e.data) for e in events]
        assert numbers == sorted(set(numbers))
        seen = events[-1].id if events else seen
        chance = dice.random()
        if chance < 0.3:
            reset(answer.sock)
        elif chance < 0.6:
            answer.close()
        else:
            open_streams.append(answer)
        if len(open_streams) > 10:
            open_streams.pop(0).close()
    if last:
        server.signal(last)
    stop.set()
    for answer in open_streams:
        answer.sock.close()
    if not last:
        poll("somebody to have all", lambda: not server.running or has_all(wire, server))
    assert server.wait() in (0, 143)
    writer.join(HANG)


def has_all(wire, server):
    try:
        wire.get(server.url).events()
    except (Cut, OSError):
        return False
    return True


def write_numbers(server, stop):
    n = 0
    try:
        while not stop.is_set():
            server.write("".join(f"{n + i}\n" for i in range(10)))
            n += 10
        server.close_stdin()
    except OSError:
        pass


@pytest.mark.parametrize("flag", ["--head-timeout", "--body-timeout", "--idle-timeout", "--stall-timeout", "--channel-idle"])
def test_a_limit_of_0_is_none_of_its_own(sse, flag):
    """Neither at once nor never: whoever types it means one of them, and we do not know which."""
    server = sse.run("serve", "--listen", "127.0.0.1:0", flag, "0s")
    assert server.status == 2
    error, hint = server.err.splitlines()
    assert error == f"sse: error: {flag}: it must be greater than 0"
    assert hint.startswith(f"sse: hint: for example sse serve {flag} ")


def test_the_histories_of_all_channels_have_a_bound(sse, wire):
    server = sse.serve("--publish", "--channels", "--history-bytes", "100kb", "--total-history-bytes", "300kb")
    for n in range(12):
        sent = wire.request(server.url + f"c{n}", "POST", headers={"Content-Type": "text/plain"}, body=b"x" * 90_000)
        assert sent.status == 201
    assert [e.data for e in wire.get(server.url + "c11").events(1)] == ["x" * 90_000]
    reader = wire.get(server.url + "c0")
    assert wire.request(server.url + "c0", "POST", body=b"new").status == 201
    assert [e.data for e in reader.events(1)] == ["new"]


@pytest.mark.release
@pytest.mark.parametrize("limit", range(8, 20, 2))
def test_too_few_descriptors_at_the_start_have_the_right_hint(sse, limit):
    server = sse.start_program("prlimit", f"--nofile={limit}:{limit}", sse.binary, "serve", "--listen", "127.0.0.1:0",
                               "--wait-clients", "0", input=b"")
    if server.wait() == 0:
        return  # it was enough
    error, hint = server.stderr.text().splitlines()[-2:]
    assert error.endswith("Too many open files")
    assert hint == "sse: hint: raise the limit with ulimit -n, or LimitNOFILE= in a systemd unit"
