"""Clients, channels, publishers and stops in disorder on four loops. For the sanitizers; and what is read
is in order all the same."""
import random
import signal
import threading

import pytest
from support import prometheus
from support.deadline import HANG, Deadline, poll
from support.wire import Answer, Cut, request_bytes, reset

CHANNELS = 12  # more than there may be at a time


class Churn:
    """Threads that come and go at a server. Each publisher numbers what it publishes, so that a reader
    sees whether something is out of order."""

    def __init__(self, wire, url, admin, seed):
        self._wire, self._url, self._admin = wire, url, admin
        self._dice = random.Random(seed)
        self._stop = threading.Event()
        self._threads, self.wrong, self.read, self.published = [], [], 0, 0

    def start(self):
        for role in (self.publish, self.publish, self.read_some, self.read_some, self.read_some, self.look):
            seed = self._dice.random()
            self._threads.append(threading.Thread(target=self._run, args=(role, random.Random(seed))))
        for thread in self._threads:
            thread.start()

    def _run(self, role, dice):
        while not self._stop.is_set():
            try:
                role(dice)
            except (OSError, Cut, TimeoutError):
                pass  # the server has stopped, or cut it
            except Exception as e:  # anything else is a finding
                self.wrong.append(repr(e))
                return

    def publish(self, dice):
        sock = self._wire.connect(self._url)
        name = f"{threading.get_ident()}:{id(sock)}"
        channel = dice.randrange(CHANNELS)
        for n in range(dice.randrange(1, 60)):
            if dice.random() < 0.1:
                body = b"data: %b\n\n" % f"{name} {n}".encode()
                head = [("Host", "localhost"), ("Content-Type", "text/event-stream")]
            else:
                body, head = f"{name} {n}".encode(), [("Host", "localhost")]
            sock.sendall(request_bytes(self._url, "POST", target=f"/{channel}", headers=head, body=body))
            answer = Answer(sock)
            if answer.status == 201:
                self.published += 1
            elif answer.status != 503:
                self.wrong.append(answer.status)
            answer.read_all()
        reset(sock) if dice.random() < 0.5 else sock.close()

    def read_some(self, dice):
        headers = {"Last-Event-ID": "1-1"} if dice.random() < 0.3 else {}
        answer = self._wire.request(self._url, target=f"/{dice.randrange(CHANNELS)}", headers=headers,
                                    version=dice.choice(["HTTP/1.0", "HTTP/1.1"]))
        if answer.status == 200:
            last = {}
            for event in answer.events(dice.randrange(1, 40), 0.3):
                name, _, number = event.data.partition(" ")
                if int(number) <= last.get(name, -1):
                    self.wrong.append(event.data)
                last[name] = int(number)
                self.read += 1
        reset(answer.sock) if dice.random() < 0.3 else answer.close()

    def look(self, _):
        text = self._wire.get(self._admin + "metrics", headers={"Connection": "close"}).read_all()
        now = prometheus.read(text.decode())
        if now["sse_channels"][()] > CHANNELS:
            self.wrong.append("too many channels")

    def pause(self, seconds):
        self._stop.wait(seconds)

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(HANG)
            assert not thread.is_alive()
        assert not self.wrong, self.wrong[:5]


@pytest.mark.parametrize(("overflow", "io"), [("block", "auto"), ("drop", "auto"), ("disconnect", "send")])
def test_channels_publishers_and_readers_in_disorder_until_a_stop(sse, wire, overflow, io):
    server = sse.serve("--threads", "4", "--publish", "--channels", "--max-channels", "8", "--channel-idle", "1ms",
                       "--history", "30", "--overflow", overflow, "--io", io, "--keepalive", "20ms", "--grace", "1s",
                       "--admin", "127.0.0.1:0", "--access-log", "-")
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    churn = Churn(wire, server.url, admin, overflow)
    churn.start()
    try:
        deadline = Deadline()
        while churn.published < 1500 or churn.read < 500:
            deadline.check(f"enough churn: {churn.published} published, {churn.read} read; {churn.wrong[:3]}")
            server.signal(signal.SIGUSR1)
            server.signal(signal.SIGHUP)
            churn.pause(0.05)
        server.signal(signal.SIGTERM)
        assert server.wait() in (0, 143)
    finally:
        churn.end()


def test_a_stop_at_any_moment_is_a_stop(sse, wire):
    """Before the first client, among the first, and while they are being told of the end."""
    for delay in range(12):
        server = sse.serve("--threads", "4", "--publish", "--channels", "--grace", "1s")
        socks = [wire.send(server.url, request_bytes(server.url, target=f"/{n}")) for n in range(delay)]
        posts = [wire.send(server.url, request_bytes(server.url, "POST", target=f"/{n}", body=b"x")) for n in range(delay)]
        if delay % 3 == 1:
            server.close_stdin()
        if delay % 3 == 2 and socks:
            poll("an answer", lambda: socks[-1].recv(1))
        server.signal(signal.SIGINT if delay % 2 else signal.SIGTERM)
        for sock in socks + posts:
            sock.close()
        assert server.wait() in (0, 130, 143)
