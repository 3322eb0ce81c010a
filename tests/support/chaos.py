"""A TCP proxy that disturbs what a server sends: it cuts connections by FIN and by RST at any byte, stalls, and
forwards one byte at a time."""
import array
import fcntl
import random
import re
import selectors
import socket
import struct
import termios
import threading
import time

from support.deadline import HANG, Deadline

IDLE = 0.001  # seconds of silence after which more is published
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST


class Chaos:
    """Stands between clients and a server on port `port` of this machine, on a thread of its own. It makes `cuts`
    cuts, half of them by RST, in `size` bytes of responses; where it cuts and stalls follows from `seed`. Half of the
    requests are passed on as HTTP/1.0, so that a cut by FIN looks like the end of the response. `whole_heads`: no FIN
    cuts the head of a response.

    `publish()` makes the server send more: it returns a number of bytes that the server will send at least, and 0
    when there is no more. It is called on the proxy's thread: when all was forwarded, once between two connections,
    and during a stall, which lasts until what was published meanwhile waits in the proxy's socket.

    `cuts_behind_id` counts the cuts between the line of an event's id and the blank line right behind it."""

    def __init__(self, port, seed, cuts, size, publish, *, whole_heads=False):
        self.cuts, self.cuts_behind_id = {"FIN": 0, "RST": 0}, 0
        self.stalls, self.single_bytes, self.connections = 0, 0, 0
        self.places, self.sizes = random.Random(seed), random.Random(seed)
        self.server_port, self.publish, self.whole_heads = port, publish, whole_heads
        self.plan = self._draw(cuts, size)
        self.may_publish, self._closing = True, False
        self.selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _draw(self, cuts, size):
        """(bytes until the cut, how) of each cut, the next one last."""
        weights = [self.places.random() for _ in range(cuts)]
        hows = ["FIN", "RST"] * (cuts // 2)
        self.places.shuffle(hows)
        return [(int(weight / sum(weights) * size), how) for weight, how in zip(weights, hows)]

    def _run(self):
        while not self._closing:
            ready = self.selector.select(IDLE if self.may_publish else 0.05)
            for key, _ in ready:
                if key.fileobj.fileno() >= 0:  # not closed by the one before it
                    key.data()
            if not ready and self.may_publish:
                self.may_publish = False
                self.publish()

    def _accept(self):
        client, _ = self._listener.accept()
        self.connections += 1
        _Link(self, client)

    def close(self):
        self._closing = True
        self._thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


class _Link:
    """One connection through the proxy, on the proxy's thread."""

    def __init__(self, chaos, client):
        self._chaos, self._client = chaos, client
        self._server = socket.create_connection(("127.0.0.1", chaos.server_port))
        for sock in (self._client, self._server):
            sock.settimeout(HANG)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._cut = chaos.plan.pop() if chaos.plan else None
        reach = self._cut[0] if self._cut else 1000
        self._stall_at = chaos.places.randint(0, reach) if chaos.places.random() < 0.5 else None
        self._single_from = chaos.places.randint(0, reach)
        self._single_to = self._single_from + chaos.places.randint(50, 200)
        self._old_http, self._asked = chaos.places.random() < 0.5, False
        self._forwarded, self._latest, self._in_head = 0, b"", True
        chaos.selector.register(client, selectors.EVENT_READ, self._to_server)
        chaos.selector.register(self._server, selectors.EVENT_READ, self._to_client)

    def _to_server(self):
        try:
            data = self._client.recv(65536)
            if self._old_http and not self._asked:
                data = data.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
            self._asked = True
            if data:
                self._server.sendall(data)
                return
        except OSError:
            pass
        self._close()

    def _to_client(self):
        try:
            data = self._server.recv(65536)
            if not data:
                self._close()
            while data:
                piece = data[:self._next_size(len(data))]
                self._client.sendall(piece)
                self._remember(piece)
                if self._cut and self._forwarded >= self._cut[0] and not self._spares_head():
                    self._make_cut()
                    return
                data = data[len(piece):]
        except OSError:
            self._close()

    def _remember(self, piece):
        self._chaos.may_publish = True
        self._forwarded += len(piece)
        self._latest = (self._latest + piece)[-8192:]
        self._in_head = self._in_head and b"\r\n\r\n" not in self._latest

    def _spares_head(self):
        return self._chaos.whole_heads and self._in_head and self._cut[1] == "FIN"

    def _next_size(self, most):
        """Bytes of the next piece, up to the next place where something happens."""
        if self._stall_at is not None and self._forwarded >= self._stall_at:
            self._stall_at = None
            self._stall()
        if self._single_from <= self._forwarded < self._single_to:
            self._chaos.single_bytes += 1
            return 1
        places = [self._single_from, self._stall_at or 0, self._cut[0] if self._cut else 0]
        return min([most, self._chaos.sizes.randint(1, 4096),
                    *(place - self._forwarded for place in places if place > self._forwarded)])

    def _stall(self):
        """Forwards nothing until more waits than was there."""
        published = min(self._chaos.publish(), 16384)
        if not published:
            return
        self._chaos.stalls += 1
        deadline = Deadline()
        while _waiting(self._server) < published:
            deadline.check("events behind a stall")
            time.sleep(IDLE)

    def _make_cut(self):
        how, self._cut = self._cut[1], None
        self._chaos.cuts[how] += 1
        self._chaos.cuts_behind_id += bool(re.search(rb"\nid: [^\n]*\n$", self._latest))
        if how == "RST":
            for sock in (self._client, self._server):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._close()

    def _close(self):
        if self._cut:  # somebody else has ended this one: it is made on another
            self._chaos.plan.append(self._cut)
        self._chaos.may_publish = True
        for sock in (self._client, self._server):
            self._chaos.selector.unregister(sock)
            sock.close()


def _waiting(sock):
    """Bytes that were received and not read."""
    number = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, number)
    return number[0]
