"""CPU of `sse tail` in each of its outputs beside the least that a reader of lines can do (bare_read.cpp),
beside curl, and pipes of curl, that read the same firehose of 200-byte events; and how long after its last
byte an event of a calm stream is in the pipe. Both have limits; the bare reader is the
steadier one, because what curl needs for small chunks depends on the machine (0.7 to 3.2 s for 2 million)."""
import gzip
import os
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from bench.measure import CLIENT, Row, least, on, run

# Of the CPU of the bare reader, and of curl, which parses nothing.
LIMITS = {("chunked by event", "data"): (4.0, 1.0), ("chunked by event", "json"): (9.0, 0.9),
          ("in large chunks", "data"): (2.5, 2.0)}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
JSON = b'{"choices":[{"index":0,"delta":{"content":"some words of it"},"finish_reason":null}],"pad":"%b"}'


def blocks(events):
    data = [JSON % (b"x" * 100) for _ in range(1000)]
    return [b"id: %d\ndata: %b\n\n" % (n, data[n % 1000]) for n in range(events)]


def chunk(block):
    return b"%x\r\n%b\r\n" % (len(block), block)


def firehoses(events):
    """{name: the bytes of the answer}"""
    each = blocks(events)
    whole = b"".join(each)
    large = [whole[at:at + 65536] for at in range(0, len(whole), 65536)]
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    return {"chunked by event": chunked + b"".join(map(chunk, each)) + b"0\r\n\r\n",
            "in large chunks": chunked + b"".join(map(chunk, large)) + b"0\r\n\r\n",
            "until the connection's end": HEAD + b"\r\n" + whole,
            "gzip": HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(whole, 6)}


class Firehose:
    """Gives every client the same answer, as fast as it takes it, in a process of its own."""

    def __init__(self, answer, certificate=None):
        listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{listener.getsockname()[1]}/"
        self.pid = os.fork()
        if self.pid == 0:
            self.serve(listener, answer, certificate)
        listener.close()

    @staticmethod
    def serve(listener, answer, certificate):
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        while True:
            client = listener.accept()[0]
            try:
                if context:
                    client = context.wrap_socket(client, server_side=True)
                client.recv(65536)
                for at in range(0, len(answer), 1 << 20):
                    client.sendall(answer[at:at + (1 << 20)])
                if context:
                    client = client.unwrap()
                client.shutdown(socket.SHUT_WR)
                client.recv(1)
            except OSError:
                pass
            client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


def certificate(directory):
    path = Path(directory, "server.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(path) + ".crt"],
                   check=True, capture_output=True)
    path.write_text(path.read_text("ascii") + Path(str(path) + ".crt").read_text("ascii"), "ascii")
    return str(path)


def firehose_rows(setting, events):
    rounds = 1 if setting.short else setting.rounds
    millions = f"{events / 1e6:g} M events of 200 bytes"

    def cpu(command):
        with open("/dev/null", "wb") as sink:
            return least(rounds, lambda: run(command, processor=CLIENT, stdout=sink, stderr=subprocess.DEVNULL)).cpu

    with tempfile.TemporaryDirectory() as directory:
        pem = certificate(directory)
        for name, answer in {**firehoses(events), "TLS, chunked by event": None}.items():
            if answer is None:
                answer = firehoses(events)["chunked by event"]
                tls = pem
            else:
                tls = None
            with Firehose(answer, tls) as server:
                extra = ["--compressed"] if name == "gzip" else []
                curl = ["curl", "-sNk", *extra, server.url]
                tail = [setting.sse, "tail", "-k", "--no-reconnect", *extra, server.url]
                base = cpu(curl)
                bare = None
                if name in ("chunked by event", "in large chunks"):
                    bare = cpu([setting.tool("sse_bare_read"), server.url.rsplit(":", 1)[1].strip("/"), "--lines"])
                forms = ["data", "json", "sse", "raw", "pretty"] if name == "chunked by event" else ["data"]
                for form in forms:
                    what, used = f"tail -o {form}: CPU, {millions}, {name}", cpu([*tail, "-o", form])
                    beside_curl = Row(what, used, "s", "curl -sN", base)
                    if (name, form) not in LIMITS:
                        yield beside_curl
                        continue
                    of_bare, of_curl = LIMITS[name, form]
                    yield Row(what, used, "s", "bare reader of lines", bare).within(most=of_bare)
                    yield beside_curl.within(most=of_curl)
                if name != "chunked by event":
                    continue
                plain = " ".join(curl)
                yield Row(f"tail -o data: CPU, {millions}, {name}", cpu([*tail, "-o", "data"]), "s", "curl | sed",
                          cpu(f"{plain} | sed -n 's/^data: //p'"))
                pointer = [*tail, "--pointer", "/choices/0/delta/content"]
                yield Row(f"tail --pointer: CPU, {millions}, {name}", cpu(pointer), "s", "curl | sed | jq",
                          cpu(f"{plain} | sed -n 's/^data: //p' | jq -r '.choices[0].delta.content'"))


def calm(command, url_of, events):
    """Seconds from the last byte of an event to its bytes in the pipe, each."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(on(CLIENT, *command, url_of(listener)), stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, bufsize=0)
        client = listener.accept()[0]
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.recv(65536)
        client.sendall(HEAD + b"\r\n")
        took = []
        for n in range(events):
            time.sleep(0.005)
            start = time.perf_counter()
            client.sendall(b"id: %d\ndata: %b\n\n" % (n, b"x" * 200))
            os.read(process.stdout.fileno(), 65536)
            took.append(time.perf_counter() - start)
        client.close()
        process.kill()
        process.wait()
        return took


def rows(setting):
    yield from firehose_rows(setting, 10_000 if setting.short else 2_000_000)
    events = 20 if setting.short else 1000
    url = lambda listener: f"http://127.0.0.1:{listener.getsockname()[1]}/"  # noqa: E731
    ours = calm([setting.sse, "tail", "--no-reconnect", "-o", "data"], url, events)
    theirs = calm(["curl", "-sN"], url, events)
    for what, pick in (("p50", statistics.median), ("p99", lambda all_: statistics.quantiles(all_, n=100)[98])):
        row = Row(f"tail: a calm stream's event from its last byte to the pipe, {what}", pick(ours) * 1e3, "ms",
                  "curl -sN", pick(theirs) * 1e3)
        yield row
        if what == "p99":
            yield Row(row.what, row.ours, "ms").within(most=1)
