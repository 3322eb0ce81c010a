"""HTTP/1 on a bare socket: every byte that is sent and received is the test's own."""
import socket
import struct
from urllib.parse import urlsplit

from support.deadline import HANG, Deadline
from support.eventstream import EventStream


def connect(url):
    """A connected socket for `http://HOST:PORT/...` or `unix:/path`."""
    if url.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(url.removeprefix("unix:"))
        return sock
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=HANG)


def reset(sock):
    """Closes with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Cut(Exception):
    """The connection ended before the message did."""


class Answer:
    """An HTTP answer, read from its socket piece by piece. `status`, `reason`, `headers` (a list of
    name and value), `head` (its bytes); then the body by `read_all`, `events` or `more`. `after`: the
    answer before it on the same connection, read to its end, where requests were sent ahead."""

    def __init__(self, sock, method="GET", after=None):
        self.sock = sock
        self._rest, self._eof = after._rest if after else b"", False
        deadline = Deadline()
        while b"\r\n\r\n" not in self._rest:
            if not self._receive(deadline, "the head"):
                raise Cut(f"no whole head: {self._rest!r}")
        self.head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        lines = self.head.decode("latin-1").split("\r\n")
        self.version, status, *reason = lines[0].split(" ", 2)
        self.status, self.reason = int(status), "".join(reason)
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.chunked = (self.header("transfer-encoding") or "").lower() == "chunked"
        length = self.header("content-length")
        self._left = int(length) if length is not None and not self.chunked else None
        if method == "HEAD" or self.status in (204, 304) or self.status < 200:
            self._left, self.chunked = 0, False
        self.ended = self._left == 0  # well: last chunk, length reached, or closed if neither
        self._pieces = []             # of the body, as far as it has been read
        self.stream = EventStream()   # what `events` has parsed

    def header(self, name):
        """The first header of that name, or None."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def _receive(self, deadline, what):
        self.sock.settimeout(deadline.check(what))
        try:
            piece = self.sock.recv(65536)
        except socket.timeout:
            raise TimeoutError(f"waited in vain for {what}; have {self._rest!r}") from None
        self._rest += piece
        self._eof = not piece
        return bool(piece)

    def more(self, seconds=HANG):
        """The next piece of the body, as it came (a chunk, if chunked); b"" at its end. Raises Cut
        where the connection ends before the body."""
        deadline = Deadline(seconds)
        piece = b""
        if not self.ended:
            piece = self._next_chunk(deadline) if self.chunked else self._next_plain(deadline)
        self._pieces.append(piece)
        return piece

    @property
    def body(self):
        """All of it that has been read, without framing."""
        self._pieces = [b"".join(self._pieces)]
        return self._pieces[0]

    def _next_plain(self, deadline):
        if not self._rest and not self._receive(deadline, "more of the body"):
            if self._left:
                raise Cut(f"{self._left} bytes of the body are missing")
            self.ended = True
        piece = self._rest if self._left is None else self._rest[:self._left]
        self._rest = self._rest[len(piece):]
        if self._left is not None:
            self._left -= len(piece)
            self.ended = self._left == 0
        return piece

    def _next_chunk(self, deadline):
        def need(condition):
            while not condition():
                if not self._receive(deadline, "a chunk"):
                    raise Cut(f"no last chunk; have {self._rest!r}")

        need(lambda: b"\r\n" in self._rest)
        line, _, _ = self._rest.partition(b"\r\n")
        size, start = int(line, 16), len(line) + 2
        need(lambda: len(self._rest) >= start + size + 2)
        chunk = self._rest[start:start + size]
        assert self._rest[start + size:start + size + 2] == b"\r\n", self._rest[:100]
        self._rest = self._rest[start + size + 2:]
        self.ended = size == 0
        return chunk

    def read_all(self):
        """The whole body; raises Cut if it was cut."""
        deadline = Deadline()
        while not self.ended:
            deadline.check("the end of the body")
            self.more()
        return self.body

    def events(self, count=None, seconds=HANG):
        """Reads until there are `count` events in all (None: to the end); returns all there are."""
        deadline = Deadline(seconds)
        while not self.ended and (count is None or len(self.stream.events) < count):
            self.stream.feed(self.more(deadline.check("an event")))
        return self.stream.events

    def comment(self):
        """Reads until one more comment has come; returns it."""
        deadline = Deadline()
        have = len(self.stream.comments)
        while not self.ended and len(self.stream.comments) == have:
            deadline.check("a comment")
            self.stream.feed(self.more())
        return self.stream.comments[have]

    def is_quiet(self, seconds):
        """Whether nothing comes for that long."""
        self.sock.settimeout(seconds)
        try:
            return not self._rest and not self.sock.recv(1, socket.MSG_PEEK)
        except socket.timeout:
            return True

    def closed(self):
        """Waits for the end of the connection; returns what else came before it."""
        deadline = Deadline()
        try:
            while self._receive(deadline, "the end of the connection"):
                pass
        except ConnectionResetError:
            pass
        return self._rest

    def close(self):
        self.sock.close()


def request_bytes(url, method="GET", headers=(), body=None, target=None, version="HTTP/1.1"):
    """A request, as bytes. `headers` is a dict or a list of pairs; a Host is added unless one is
    named, and a Content-Length if there is a body."""
    headers = list(headers.items() if isinstance(headers, dict) else headers)
    names = {name.lower() for name, _ in headers}
    parts = urlsplit(url)
    if target is None:
        target = "/" if url.startswith("unix:") else parts.path or "/"
        target += f"?{parts.query}" if parts.query else ""
    if "host" not in names:
        headers.insert(0, ("Host", parts.netloc or "localhost"))
    if body is not None and not {"content-length", "transfer-encoding"} & names:
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} {version}", *(f"{n}: {v}" for n, v in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + (body or b"")


class Wire:
    """Opens connections and closes them all when the test is over."""

    def __init__(self):
        self._socks = []

    def connect(self, url):
        sock = connect(url)
        self._socks.append(sock)
        return sock

    def send(self, url, data):
        """Connects and sends `data` as it is; returns the socket."""
        sock = self.connect(url)
        sock.sendall(data)
        return sock

    def request(self, url, method="GET", **parts):
        """Sends a request (`parts` as request_bytes has them) and reads the head of the answer."""
        return Answer(self.send(url, request_bytes(url, method, **parts)), method)

    def get(self, url, **parts):
        return self.request(url, **parts)

    def close_all(self):
        for sock in self._socks:
            sock.close()
