"""An HTTP proxy: forwards requests for whole URLs, and opens tunnels. Remembers the heads."""
import base64
import socket
import threading
from urllib.parse import urlsplit

from support.origin import Request


class Proxy:
    """`user`: USER:PASSWORD that it insists on. `answer`: bytes that it gives to everybody instead.
    `to`: (host, port) that it connects to whatever is asked for."""

    def __init__(self, user=None, answer=None, to=None):
        self.requests, self._user, self._answer, self._to, self._open = [], user, answer, to, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            data = b""
            while b"\r\n\r\n" not in data:
                piece = sock.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, rest = data.partition(b"\r\n\r\n")
            request = Request(head, b"")
            self.requests.append(request)
            if self._answer is not None:
                sock.sendall(self._answer)
                return
            if self._user and request.header("Proxy-Authorization") != (
                    "Basic " + base64.b64encode(self._user.encode()).decode()):
                sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nwho?")
                return
            if request.method == "CONNECT":
                host, _, port = request.target.rpartition(":")
                upstream = self._connect(host.strip("[]"), int(port))
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n" + rest)
            else:
                parts = urlsplit(request.target)
                upstream = self._connect(parts.hostname, parts.port or 80)
                target = parts.path + (f"?{parts.query}" if parts.query else "")
                upstream.sendall(head.replace(request.target.encode(), target.encode(), 1) + b"\r\n\r\n" + rest)
            threading.Thread(target=self._pass, args=(sock, upstream), daemon=True).start()
            self._pass(upstream, sock)
        except OSError:
            pass
        finally:
            sock.close()

    def _connect(self, host, port):
        upstream = socket.create_connection(self._to or (host, port))
        self._open.append(upstream)
        return upstream

    @staticmethod
    def _pass(source, target):
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        for sock in [self._listener, *self._open]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
