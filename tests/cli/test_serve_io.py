"""--io: how an event is sent to many clients. The bytes are the same with each, and a kernel that forbids
io_uring costs nobody anything but its speed."""
import json
import re
import sys

import pytest
from support import prometheus
from support.certificates import Authority

CLIENTS = 40

# Runs a program to which io_uring_setup(2), which has the same number on x86-64 and arm64, fails as in a
# container: with EPERM.
WITHOUT_URING = """
import ctypes, os, struct, sys
def step(code, then, otherwise, value):
    return struct.pack("=HBBI", code, then, otherwise, value)
filters = b"".join((step(0x20, 0, 0, 0),              # the number of the call
                    step(0x15, 0, 1, 425),            # io_uring_setup?
                    step(0x06, 0, 0, 0x00050000 | 1), # EPERM
                    step(0x06, 0, 0, 0x7fff0000)))    # allowed
held = ctypes.create_string_buffer(filters)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filters", ctypes.c_void_p)]
program = Program(len(filters) // 8, ctypes.addressof(held))
prctl = ctypes.CDLL(None, use_errno=True).prctl
assert prctl(38, 1, 0, 0, 0) == 0 and prctl(22, 2, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
"""


def has_uring(sse):
    features = " ".join(sse.run("--version").out.decode().split("features:")[1].split())
    assert re.search(r"(, io_uring$|, no io_uring \(.+\)$)", features)
    return features.endswith(", io_uring")


def io_in_use(wire, admin):
    text = wire.get(admin + "metrics", headers={"Connection": "close"}).read_all().decode()
    (labels, number), = prometheus.read(text)["sse_io_info"].items()
    assert number == 1
    return dict(labels)["io"]


def serve(sse, *args):
    server = sse.serve("--admin", "127.0.0.1:0", *args)
    server.admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    return server


@pytest.fixture(params=["uring", "send", "auto"])
def io(request, sse):
    if request.param == "uring" and not has_uring(sse):
        pytest.skip("no io_uring here")
    return request.param


def test_every_client_is_sent_the_same_bytes(sse, wire, io):
    server = serve(sse, "--io", io)
    clients = [wire.get(server.url) for _ in range(CLIENTS)]
    clients.append(wire.request(server.url, version="HTTP/1.0"))  # without chunks
    sent = [f"{n} " + "x" * (7 * n) for n in range(1, 51)]
    for n, text in enumerate(sent, 1):
        server.write(text + "\n")
        if n % 5 == 0:  # others come together
            assert clients[n % CLIENTS].events(n)[-1].data == text
    server.close_stdin()
    for client in clients:
        assert [e.data for e in client.events()] == sent
        client.close()
    assert server.wait() == 0


def test_large_events_over_tls(sse, io, tmp_path):
    """Together they are several times what a group encrypts before it sends."""
    certs = Authority(tmp_path)
    cert, key = certs.issue("server")
    server = serve(sse, "--io", io, "--tls-cert", cert, "--tls-key", key)
    curls = [sse.start_program("curl", "-sSNi", "--cacert", certs.ca, server.url) for _ in range(20)]
    for curl in curls:
        curl.stdout.wait_for("200 OK\r\n")
    large = "z" * 200_000
    for text in ("first", large, "between", large, "last"):
        server.write(text + "\n")
        curls[0].stdout.wait_for(f"data: {text}\n")
    server.close_stdin()
    for curl in curls:
        assert curl.wait() == 0
        data = [line[6:] for line in curl.stdout.text().split("\n") if line.startswith("data: ")]
        assert data == ["first", large, "between", large, "last"]
    assert server.wait() == 0


def test_the_metrics_tell_which_is_in_use(sse, wire, io):
    server = serve(sse, "--io", io)
    expected = "uring" if io == "uring" or (io == "auto" and has_uring(sse)) else "send"
    assert io_in_use(wire, server.admin) == expected


def test_large_events_and_slow_clients_among_many(sse, wire, io):
    """Each takes a part of what it is sent, and the rest when it reads."""
    server = serve(sse, "--io", io, "--access-log", "-")
    clients = [wire.get(server.url) for _ in range(5)]
    large = "y" * (1 << 20)
    server.write("small\n" + large + "\nlast\n")
    server.close_stdin()
    gone = clients.pop()
    gone.events(1)
    gone.close()  # within the large one
    for client in reversed(clients):
        assert [e.data for e in client.events()] == ["small", large, "last"]
        client.close()
    assert server.wait() == 0
    log = [json.loads(line) for line in server.stderr.text().splitlines() if line.startswith("{")]
    ends = sorted(line["end"] for line in log)
    assert ends == ["client closed"] + ["end of stream"] * 4
    assert [line["events"] for line in log if line["end"] == "end of stream"] == [3] * 4


@pytest.mark.release
@pytest.mark.linux
def test_a_kernel_that_forbids_io_uring_is_sent_with_without_it(sse, wire):
    def start(*args):
        return sse.start_program(sys.executable, "-c", WITHOUT_URING, sse.binary, *args)

    if has_uring(sse):
        told = start("--version")
        assert told.wait() == 0
        assert "no io_uring (Operation not permitted)" in " ".join(told.stdout.text().split())
    refused = start("serve", "--listen", "127.0.0.1:0", "--io", "uring")
    assert refused.wait() == 23
    assert "sse: error: cannot use io_uring: " in refused.stderr.text()
    assert "sse: hint: remove --io uring" in refused.stderr.text()

    server = start("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    url = server.stderr.wait_for(r"^sse: serving (\S+)$")[1]
    assert io_in_use(wire, admin) == "send"
    clients = [wire.get(url) for _ in range(8)]
    server.write("a\nb\n")
    server.close_stdin()
    for client in clients:
        assert [e.data for e in client.events()] == ["a", "b"]
        client.close()
    assert server.wait() == 0
