"""Several servers that share one Redis: how late an event reaches a client of another server than it was published to,
how many events a second, and what Redis works for each; beside nginx with nchan and a Redis of its own.

Redis has a processor, and publishers, clients and servers share the others: all figures are of the machine as a whole,
and only the CPU of Redis can be compared with other machines."""
import contextlib
import os
import selectors
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from bench.measure import SERVER, Row, cpu_seconds, on
from bench.peers import NGINX
from support.ports import free_port

NCHAN = {
    "modules": "load_module /usr/lib/nginx/modules/ngx_nchan_module.so;",
    "http": "nchan_shared_memory_size 64M; upstream store {{ nchan_redis_server redis://127.0.0.1:{redis}; }}",
    "server": """
    location = / {{ nchan_subscriber eventsource; nchan_channel_id x; nchan_subscriber_first_message newest;
        nchan_redis_pass store; }}
    location = /pub {{ nchan_publisher; nchan_channel_id x; nchan_message_buffer_length 10000; nchan_redis_pass store; }}
"""}
CONNECTIONS = 16


def connect(port):
    for _ in range(200):
        with contextlib.suppress(OSError):
            sock = socket.create_connection(("127.0.0.1", port), 60)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port}")


class Redis:
    """Without a file, for both alike."""

    def __init__(self):
        self.port = free_port()
        self.process = subprocess.Popen(on(SERVER, "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save",
                                           "", "--appendonly", "no"), stdout=subprocess.DEVNULL)
        connect(self.port).close()

    def close(self):
        self.process.kill()
        self.process.wait()


class Server:
    def __init__(self, command, port, path):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port, self.path = port, path
        connect(port).close()

    def close(self):
        self.process.terminate()
        self.process.wait()


def start_sse(setting, redis, directory, number):
    port = free_port()
    return Server([setting.sse, "serve", "--publish", "--listen", f"127.0.0.1:{port}", "--threads", "1", "--start", "new",
                   "--store", f"redis://127.0.0.1:{redis.port}"], port, b"/")


def start_nchan(setting, redis, directory, number):
    port, folder = free_port(), Path(directory, str(number))
    folder.mkdir()
    parts = {name: text.format(redis=redis.port) if name != "modules" else text for name, text in NCHAN.items()}
    Path(folder, "conf").write_text(NGINX.format(dir=folder, port=port, user="user root;" if os.geteuid() == 0 else "",
                                                 **parts), encoding="utf-8")
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    return Server([nginx, "-c", str(folder / "conf"), "-p", str(folder)], port, b"/pub")


class Publisher:
    """One request at a time."""

    def __init__(self, server):
        self.sock, self._path, self._rest = connect(server.port), server.path, b""

    def send(self, body):
        self.sock.sendall(b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b"
                          % (self._path, len(body), body))

    def receive(self, refused=False):
        """The status once the response is whole; None before. `refused`: it may be another one than 2xx."""
        piece = self.sock.recv(65536)
        assert piece, "the publisher's connection was closed"
        self._rest += piece
        head, end, body = self._rest.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return None
        assert refused or b" 20" in head[:12], head
        self._rest = body[length:]
        return int(head[9:12])

    def wait_ready(self):
        """Until an event is accepted: a server may not be connected to Redis yet."""
        for _ in range(200):
            self.send(b"warm up")
            while (status := self.receive(refused=True)) is None:
                pass
            if status < 300:
                return
            time.sleep(0.05)
        raise TimeoutError("no event is accepted")


class Subscriber:
    """Counts the events that begin with "e "."""

    def __init__(self, server):
        self.sock, self.received, self._rest = connect(server.port), 0, b""
        self.sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        while b"\r\n\r\n" not in self._rest:
            self._rest += self.sock.recv(65536)

    def receive(self):
        piece = self.sock.recv(1 << 20)
        assert piece, "the subscriber's connection was closed"
        data = self._rest + piece
        self.received += data.count(b"data: e ")
        self._rest = data[-7:] if not data.endswith(b"data: e ") else b""


def first_event(publisher, subscriber):
    """Until one that was published arrives: subscriptions may need a while."""
    selector = selectors.DefaultSelector()
    selector.register(subscriber.sock, selectors.EVENT_READ)
    while subscriber.received == 0:
        publisher.send(b"e first")
        while not publisher.receive():
            pass
        for _ in selector.select(0.2):
            subscriber.receive()
    time.sleep(0.3)
    while selector.select(0.1):
        subscriber.receive()
    selector.close()


def latencies(publisher, subscriber, count):
    """Milliseconds from the request to the event at the client, one event after the other."""
    times = []
    for _ in range(count):
        target, began = subscriber.received + 1, time.perf_counter_ns()
        publisher.send(b"e ".ljust(200, b"x"))
        while subscriber.received < target:
            subscriber.receive()
        times.append((time.perf_counter_ns() - began) / 1e6)
        while not publisher.receive():
            pass
    return sorted(times)


def rate(server, subscriber, count):
    """Seconds until the client has all, of as many events as there are connections at once."""
    publishers = [Publisher(server) for _ in range(CONNECTIONS)]
    selector = selectors.DefaultSelector()
    selector.register(subscriber.sock, selectors.EVENT_READ, subscriber)
    target, left, began = subscriber.received + count, count, time.perf_counter()
    for publisher in publishers:
        selector.register(publisher.sock, selectors.EVENT_READ, publisher)
        publisher.send(b"e ".ljust(200, b"x"))
        left -= 1
    while subscriber.received < target:
        for key, _ in selector.select():
            if key.data.receive() and left > 0:
                key.data.send(b"e ".ljust(200, b"x"))
                left -= 1
    took = time.perf_counter() - began
    selector.close()
    for publisher in publishers:
        publisher.sock.close()
    return took


def measure(start, setting, count):
    """(latency p50, p99 in ms, events a second, CPU of Redis in us an event) with that many servers."""
    samples, events = (20, 100) if setting.short else (2_000, 20_000)
    with contextlib.ExitStack() as ended, tempfile.TemporaryDirectory() as directory:
        redis = Redis()
        ended.callback(redis.close)
        servers = []
        for number in range(count):
            servers.append(start(setting, redis, directory, number))
            ended.callback(servers[-1].close)
        for server in servers:
            Publisher(server).wait_ready()
        subscribers = [Subscriber(server) for server in servers]
        publisher = Publisher(servers[0])
        for subscriber in subscribers:
            first_event(publisher, subscriber)
        for subscriber in subscribers[:-1]:  # all servers receive the events; one client shows when
            subscriber.sock.close()
        times = latencies(publisher, subscribers[-1], samples)
        before = cpu_seconds([redis.process.pid])
        took = rate(servers[0], subscribers[-1], events)
        cpu = cpu_seconds([redis.process.pid]) - before
    return times[len(times) // 2], times[len(times) * 99 // 100], events / took, cpu / events * 1e6


def rows(setting):
    for count in (1, 4) if setting.short else (1, 4, 16):
        ours, theirs = measure(start_sse, setting, count), measure(start_nchan, setting, count)
        many = f"{count} server{'s' if count > 1 else ''}"
        for i, (what, unit) in enumerate((("from publisher to a client of another, p50", "ms"), ("the same, p99", "ms"),
                                          (f"events a second, {CONNECTIONS} publishers", ""),
                                          ("CPU of Redis an event", "us"))):
            yield Row(f"redis: {what}, {many}", ours[i], unit, "nchan", theirs[i])
