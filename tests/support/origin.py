"""A server that does what a test says, to the byte: the other end of `sse tail`."""
import socket
import ssl
import threading

from support.wire import reset


class Request:
    """What a client sent. `headers` is a list of name and value."""

    def __init__(self, head, body):
        self.head, self.body = head, body
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ", 2)
        self.headers = [tuple(p.strip() for p in line.split(":", 1)) for line in lines[1:] if line]

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]


class Connection:
    """One connection of a client; the handler writes to it and returns, which closes it."""

    def __init__(self, sock, origin, number):
        self.sock, self.origin, self.number = sock, origin, number  # number: 0 is the first
        self.request = None

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def head(self, status="200 OK", *headers, content_type="text/event-stream"):
        """Sends a head; the body is chunked unless `headers` say otherwise."""
        lines = [f"HTTP/1.1 {status}"]
        if content_type:
            lines.append(f"Content-Type: {content_type}")
        lines += headers
        if not any(h.lower().startswith(("content-length", "connection")) for h in headers):
            lines.append("Transfer-Encoding: chunked")
        self.send("\r\n".join(lines) + "\r\n\r\n")

    def chunk(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self):
        """The last chunk."""
        self.send(b"0\r\n\r\n")

    def answer(self, status, body=b"", *headers, content_type=None):
        body = body.encode() if isinstance(body, str) else body
        self.head(status, f"Content-Length: {len(body)}", "Connection: close", *headers,
                  content_type=content_type)
        self.send(body)

    def reset(self):
        reset(self.sock)

    def wait_for_close(self):
        """Blocks until the client has closed its end (or the origin ends)."""
        try:
            while self.sock.recv(65536):
                pass
        except OSError:
            pass


class Origin:
    """Listens on a free port and gives each connection to `handler(connection)`, on a thread of its
    own. `requests` has what came, in order; `wait_requests(n)` waits for so many."""

    def __init__(self, handler, *, tls=None, reads_body=True, port=0):
        """`tls`: (certificate file, key file). `port`: of free_port() where it will stop listening, so
        that nobody else is found there."""
        self.requests = []
        self._reads_body = reads_body
        self.handler, self._change, self._open = handler, threading.Condition(), []
        self._context = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        number = 0
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()
            number += 1

    def _serve(self, sock, number):
        try:
            if self._context:
                sock = self._context.wrap_socket(sock, server_side=True)
                self._open.append(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock, self, number)
            connection.request = self._read_request(sock)
            if connection.request is None:
                return
            with self._change:
                self.requests.append(connection.request)
                self._change.notify_all()
            self.handler(connection)
        except OSError:
            pass  # the client went away: its right
        finally:
            sock.close()

    def _read_request(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        request = Request(head, b"")
        length = int(request.header("content-length") or 0)
        while len(body) < length and self._reads_body:
            body += sock.recv(65536)
        request.body = body
        return request

    def wait_requests(self, count):
        from support.deadline import Deadline
        deadline = Deadline()
        with self._change:
            while len(self.requests) < count:
                self._change.wait(deadline.check(f"request {count}"))
        return self.requests

    def stop_listening(self):
        """From now on connections are refused; those that are open stay."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # or the thread in accept() keeps it open
        except OSError:
            pass
        self._listener.close()

    def close(self):
        self.stop_listening()
        for sock in self._open:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
