"""Endpoints of event streams, good and bad, on servers from Debian, for `sse check`.

Each is a name, what makes it (called with a Rig; returns the URL), and for a bad one the findings of which
at least one must be there. What they serve is a beat: every 100 ms an event that all connections share."""
import atexit
import functools
import http.server
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

import pytest
from support.beat import Beat, event
from support.nginx import Nginx
from support.npm import install
from support.origin import Origin
from support.php_fpm import PhpFpm
from support.ports import free_port
from support.proxies import EXAMPLES, FILES, ReverseProxy, accepts, program
from support.deadline import poll

HELD = {"held-back", "late-head", "no-head", "head-held", "collected"}
SQUEEZED = {"compression-holds", "compression-one-behind"}


class Rig:
    """Makes servers, and ends them."""

    def __init__(self, binary):
        self.binary, self.made = binary, []
        self.beat, self.quiet = Beat(0.1), Beat(3)

    def origin(self, handler, **options):
        self.made.append(Origin(handler, **options))
        return self.made[-1]

    def before(self, name, handler=None, example=None, change=(), port=None):
        """A reverse proxy before an origin, or what is on `port`. `change`: pairs of texts of the example."""
        port = port or self.origin(handler or self.beat.good()).port
        text = example or (EXAMPLES / FILES[name]).read_text("utf-8")
        for old, new in change:
            assert old in text, (name, old)
            text = text.replace(old, new)
        self.made.append(ReverseProxy(name, port, text))
        return self.made[-1].url

    def nginx(self, lines, handler=None):
        port = self.origin(handler or self.beat.good()).port
        self.made.append(Nginx(f"location / {{ proxy_pass http://127.0.0.1:{port}; {lines} }}"))
        return self.made[-1].url

    def php_fpm(self, code):
        self.made.append(PhpFpm(PHP_HEAD + code))
        return self.made[-1]

    def nginx_fcgi(self, code, lines=""):
        fpm = self.php_fpm(code)
        self.made.append(Nginx(
            f"location / {{ fastcgi_pass 127.0.0.1:{fpm.port}; fastcgi_param SCRIPT_FILENAME {fpm.script}; "
            f"fastcgi_param REQUEST_METHOD $request_method; {lines} }}"))
        return self.made[-1].url

    def apache_fcgi(self, code, words="", lines=""):
        fpm = self.php_fpm(code)
        return self.before("apache", port=fpm.port, example=(
            "LoadModule proxy_fcgi_module /usr/lib/apache2/modules/mod_proxy_fcgi.so\n"
            f'ProxyPassMatch "^/$" "fcgi://127.0.0.1:{fpm.port}{fpm.script}" {words}\n{lines}\n'))

    def process(self, *args, port=None, **options):
        process = subprocess.Popen([*map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True, **options)
        self.made.append(Ending(process))
        if port:
            poll(f"{args[0]} on its port", lambda: accepts(port))
        return process

    def folder(self, prefix):
        made = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
        self.made.append(type("Folder", (), {"close": lambda self: made.cleanup()})())
        return made.name

    def serve(self, *args):
        port = free_port()
        self.process(self.binary, "serve", "--listen", f"127.0.0.1:{port}", *args, port=port)
        return f"http://127.0.0.1:{port}/"

    def close(self):
        self.beat.end()
        self.quiet.end()
        for each in reversed(self.made):
            each.close()


class Ending:
    """Ends a process, and those that it started, which share its group."""

    def __init__(self, process):
        self.process = process

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


# -- origins with a fault
def stream(change=lambda n, text: text, *head, history=0, first=None, before="retry: 3000\n: ok\n\n", beat=None, **options):
    """A handler that sends each event as `change(number, text)`."""
    def make(rig):
        pace = beat(rig) if beat else rig.beat

        def handler(c):
            start = first(c, pace) if first else pace.first(c)
            if not c.request.header("last-event-id"):
                start -= history
            c.head("200 OK", *(head or ("Cache-Control: no-store",)), **options)
            if c.request.method == "HEAD":
                return
            if before:
                c.chunk(before)
            for number in pace.numbers(start):
                text = change(number, event(number))
                if text is None:
                    return c.end()
                c.chunk(text)
        return handler
    return make


def at(make):
    return lambda rig: rig.origin(make(rig)).url


def pages(size, many=9):
    """Sends in pieces of `size` bytes; `many` events at a beat."""
    def make(rig):
        def handler(c):
            c.head("200 OK", "Cache-Control: no-store")
            held = b""
            for number in rig.beat.numbers(rig.beat.now()):
                held += "".join(event(number * many + i) for i in range(many)).encode()
                while len(held) >= size:
                    c.chunk(held[:size])
                    held = held[size:]
        return handler
    return make


def batches(rig):
    """Ten events at once, each second and a half."""
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store")
        c.chunk("retry: 3000\n: ok\n\n")
        held = ""
        for number in rig.beat.numbers(rig.beat.first(c)):
            held += event(number)
            if number % 15 == 0:
                c.chunk(held)
                held = ""
    return handler


def collected(rig):
    def handler(c):
        start = rig.beat.now()
        rig.beat.wait(start + 25)
        c.head("200 OK", "Cache-Control: no-store")
        c.chunk("".join(event(n) for n in range(start, start + 25)))
        c.end()
    return handler


def head_with_event(beats):
    """The head waits for the first event."""
    def make(rig):
        def handler(c):
            start = rig.beat.now() + beats
            rig.beat.wait(start)
            c.head("200 OK", "Cache-Control: no-store")
            for number in rig.beat.numbers(start):
                c.chunk(event(number))
        return handler
    return make


def squeezed(flush, every=1):
    """Compresses if asked to; an event each `every` beats. `flush(compressor, text)` is what goes out with each event."""
    def make(rig):
        pace = Beat(0.1 * every)
        rig.made.append(type("Pace", (), {"close": lambda self: pace.end()})())
        good = pace.good()

        def handler(c):
            if "gzip" not in (c.request.header("accept-encoding") or ""):
                return good(c)
            c.head("200 OK", "Cache-Control: no-store", "Content-Encoding: gzip")
            compressor = zlib.compressobj(wbits=31)
            for number in pace.numbers(pace.now()):
                if piece := flush(compressor, event(number)):
                    c.chunk(piece)
        return handler
    return make


def flushed(compressor, text):
    return compressor.compress(text.encode()) + compressor.flush(zlib.Z_SYNC_FLUSH)


def never(compressor, text):
    return compressor.compress(text.encode())


def before_it(compressor, text):
    return compressor.flush(zlib.Z_SYNC_FLUSH) + compressor.compress(text.encode())


def only_first(cookie):
    """One connection is served, the others wait; or those with its cookie."""
    def make(rig):
        good = rig.beat.good(*(["Set-Cookie: PHPSESSID=abc; path=/"] if cookie else []))
        served = []

        def handler(c):
            waits = c.request.header("cookie") if cookie else served
            if waits:
                return c.wait_for_close()
            served.append(c)
            good(c)
        return handler
    return make


def cut_after(count, how="close"):
    def make(rig):
        def handler(c):
            start = rig.beat.first(c)
            c.head("200 OK", "Cache-Control: no-store")
            for number in rig.beat.numbers(start):
                if number - start == count:
                    if how == "reset":
                        c.reset()
                    if how == "inside":
                        c.send(b"40\r\ndata: half")
                    return
                c.chunk(event(number))
        return handler
    return make


def whole(text, *head, **options):
    """A stream that ends."""
    def make(rig):
        def handler(c):
            c.head("200 OK", "Cache-Control: no-store", *head, **options)
            c.chunk(text)
            c.end()
        return handler
    return make


def answer(status, body="", *head, **options):
    return lambda rig: lambda c: c.answer(status, body, *head, **options)


def from_start(c, pace):
    return 1


def newest(c, pace):
    return pace.now()


def inclusive(c, pace):
    after = c.request.header("last-event-id")
    return int(after) if after else pace.now()


def with_gap(c, pace):
    after = c.request.header("last-event-id")
    return int(after) + 2 if after else pace.now()


def refuses_resume(rig):
    good = rig.beat.good()
    return lambda c: c.answer("500 Error") if c.request.header("last-event-id") else good(c)


def depends_on_accept(rig):
    good = rig.beat.good()
    return lambda c: good(c) if c.request.header("accept") == "text/event-stream" else c.answer("406 Not Acceptable")


def per_connection_ids(rig):
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store")
        for i, number in enumerate(rig.beat.numbers(rig.beat.now())):
            c.chunk(f"id: {i}\ndata: {number} {c.number}\n\n")
    return handler


def http10(rig, field="Cache-Control: no-store"):
    def handler(c):
        start = rig.beat.first(c)
        c.send(f"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n{field}\r\n\r\n")
        for number in rig.beat.numbers(start):
            c.send(event(number))
    return handler


def with_length(rig):
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store", "Content-Length: 100000")
        for number in rig.beat.numbers(rig.beat.now()):
            c.send(event(number))
    return handler


def language_model(rig):
    def handler(c):
        start = rig.beat.now()
        c.head("200 OK", "Cache-Control: no-cache")
        for i, _ in zip(range(12), rig.beat.numbers(start)):
            c.chunk(f'data: {{"choices":[{{"delta":{{"content":"{i}"}}}}],"created":{int(time.time())}}}\n\n')
        c.chunk("data: [DONE]\n\n")
        c.end()
    return handler


def keepalives(rig):
    """Comments only, one a second."""
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store")
        for number in rig.beat.numbers(rig.beat.now()):
            if number % 10 == 0:
                c.chunk(": ping\n\n")
    return handler


def keepalives_together(rig):
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store")
        c.chunk(": ok\n\n" + event(1))
        for number in rig.beat.numbers(rig.beat.now()):
            if number % 30 == 0:
                c.chunk(": ping\n\n: ping\n\n: ping\n\n")
    return handler


def replay_of_recording(rig):
    return rig.serve("--start", "new", "--", "sh", "-c", PACE)


PACE = "i=0; while :; do echo \"event number $i\"; i=$((i + 1)); sleep 0.2; done"


def deflate(types):
    return ("server.modules +=", f'server.modules += ( "mod_deflate" )\ndeflate.mimetypes = ( "{types}" )\n'
            'deflate.allowed-encodings = ( "gzip" )\nserver.modules +=')


def http_server(rig):
    """python -m http.server with a recorded stream, whose type it does not know."""
    folder, port = rig.folder("sse-http-server-"), free_port()
    Path(folder, "events.sse").write_text("".join(event(n) for n in range(20)), encoding="utf-8")
    rig.process(sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", folder, port, port=port)
    return f"http://127.0.0.1:{port}/events.sse"


def static_file(rig):
    """A server that knows the type, and the length of the file."""
    port = free_port()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = "".join(event(n) for n in range(20)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rig.made.append(type("Server", (), {"close": lambda self: (server.shutdown(), server.server_close())})())
    return f"http://127.0.0.1:{port}/"


APP = """
import time
def app(environ, start):
    start("200 OK", [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")])
    def events():
        yield b"retry: 3000\\n: ok\\n\\n"
        while True:
            n = int(time.time() * 10)
            yield b"id: %d\\ndata: %d\\n\\n" % (n, n)
            time.sleep(0.1)
    return events()
"""


def gunicorn(*options):
    def make(rig):
        folder = rig.folder("sse-gunicorn-")
        with open(f"{folder}/app.py", "w", encoding="utf-8") as file:
            file.write(APP)
        port = free_port()
        rig.process("gunicorn", "-b", f"127.0.0.1:{port}", *options, "app:app", port=port, cwd=folder)
        return f"http://127.0.0.1:{port}/"
    return make


NODE = """
const zlib = require("zlib"), http = require("http");
http.createServer((q, a) => {
    a.writeHead(200, {"Content-Type": "text/event-stream", "Cache-Control": "no-store"});
    a.flushHeaders();
    let out = a;
    const timer = setInterval(() => {
        const n = Math.floor(Date.now() / 100);
        out.write(`id: ${n}\\ndata: ${n}\\n\\n`);
    }, 100);
    q.on("close", () => clearInterval(timer));
}).listen(Number(process.argv[1]), "127.0.0.1");
"""


def node(*change):
    """`change`: pairs of texts of the program."""
    def make(rig):
        port, text = free_port(), NODE
        for old, new in change:
            assert old in text, old
            text = text.replace(old, new)
        rig.process("node", "-e", text, port, port=port, cwd=npm_folder() if "require(\"compression" in text else None)
        return f"http://127.0.0.1:{port}/"
    return make


@functools.cache
def npm_folder():
    """Where a program finds the package compression; None if it cannot be installed."""
    folder = tempfile.TemporaryDirectory(prefix="sse-npm-")
    atexit.register(folder.cleanup)
    try:
        return install(Path(folder.name), "compression")
    except pytest.skip.Exception:
        return None


COMPRESSED = [("http.createServer((q, a) => {", "http.createServer((q, a) => require(\"compression\")()(q, a, () => {"),
              ("}).listen", "})).listen")]
FLUSHED = ("out.write(`id: ${n}\\ndata: ${n}\\n\\n`);", "out.write(`id: ${n}\\ndata: ${n}\\n\\n`); out.flush();")


def php(code):
    """The server of PHP itself, with four workers."""
    def make(rig):
        folder = rig.folder("sse-php-")
        with open(f"{folder}/index.php", "w", encoding="utf-8") as file:
            file.write(PHP_HEAD + code)
        port = free_port()
        rig.process("php", "-d", "output_buffering=4096", "-S", f"127.0.0.1:{port}", "-t", folder, port=port,
                    env={**os.environ, "PHP_CLI_SERVER_WORKERS": "6"})
        return f"http://127.0.0.1:{port}/"
    return make


PHP_HEAD = "<?php header('Content-Type: text/event-stream'); header('Cache-Control: no-store');"
EVENTS = "for (;;) { $n = (int)(microtime(true) * 10); echo \"id: $n\\ndata: $n\\n\\n\"; FLUSH usleep(100000); }"
PHP_GOOD = "while (ob_get_level()) ob_end_flush(); " + EVENTS.replace("FLUSH", "flush();")
PHP_HELD = "ob_start(null, 4096); " + EVENTS.replace("FLUSH", "flush();").replace("data: $n", "data: {$n} " + "x" * 200)
PHP_FLUSHED = PHP_GOOD.replace("data: $n", "data: {$n} " + "x" * 200)

UNBUFFERED = "proxy_http_version 1.1; proxy_buffering off;"
WITH_ACCEL = lambda rig: rig.beat.good("X-Accel-Buffering: no")  # noqa: E731

GOOD = {
    "sse serve": lambda rig: rig.serve("--", "sh", "-c", PACE),
    "sse serve, from now on": replay_of_recording,
    "origin": at(stream()),
    "origin with a history of 30": at(stream(history=30)),
    "origin, an event each 3s": at(stream(beat=lambda rig: rig.quiet)),
    "origin, compressed and flushed": at(squeezed(flushed)),
    "origin, comments only": at(keepalives),
    "origin, a model's answer to POST": (language_model, ["-d", "{}"]),
    "origin, several data lines": at(stream(lambda n, t: f"id: {n}\ndata: {{\ndata: }}\n\n")),
    "origin, CRLF": at(stream(lambda n, t: t.replace("\n", "\r\n"))),
    "origin, pages of 4096 that are events": at(stream(lambda n, t: f"id: {n}\ndata: {'x' * (4096 - 10 - len(str(n)) - 2)}\n\n")),
    "nginx as in the manual": lambda rig: rig.before("nginx", WITH_ACCEL(rig)),
    "nginx, proxy_buffering off": lambda rig: rig.nginx(UNBUFFERED),
    "nginx, proxy_buffering off, gzip": lambda rig: rig.nginx(UNBUFFERED + " gzip on; gzip_types text/event-stream;"),
    "nginx, HTTP/1.0 upstream": lambda rig: rig.nginx("proxy_buffering off;"),
    "caddy as in the manual": lambda rig: rig.before("caddy"),
    "haproxy as in the manual": lambda rig: rig.before("haproxy"),
    "haproxy, default": lambda rig: rig.before("haproxy", change=[("    option http-no-delay\n", "")]),
    "apache as in the manual": lambda rig: rig.before("apache"),
    "apache, mod_deflate": lambda rig: rig.before("apache", change=[(
        "ProxyPass", "AddOutputFilterByType DEFLATE text/event-stream\nProxyPass")]),
    "nginx, default, upstream with chunks": lambda rig: rig.nginx(""),
    "varnish as in the manual": lambda rig: rig.before("varnish"),
    "varnish, pipe": lambda rig: rig.before("varnish", example=(EXAMPLES / FILES["varnish"]).read_text("utf-8")
                                            + "sub vcl_recv { return (pipe); }\n"),
    "squid as in the manual": lambda rig: rig.before("squid"),
    "lighttpd as in the manual": lambda rig: rig.before("lighttpd"),
    "gunicorn, threads": gunicorn("--threads", "8"),
    "gunicorn, 6 workers": gunicorn("--workers", "6"),
    "node": node(),
    "php, flushed": php(PHP_GOOD),
    "nginx, gzip of other types": lambda rig: rig.nginx("gzip on; gzip_types text/css;"),
    "nginx, proxy_read_timeout 1h": lambda rig: rig.nginx(UNBUFFERED + " proxy_read_timeout 1h;", rig.quiet.good()),
    "nginx, proxy_buffering off, upstream without chunks": lambda rig: rig.nginx("proxy_buffering off;", http10(rig)),
    "nginx, X-Accel-Buffering, upstream without chunks": lambda rig: rig.nginx("", http10(rig, "X-Accel-Buffering: no")),
    "nginx, php-fpm, fastcgi_buffering off": lambda rig: rig.nginx_fcgi(PHP_FLUSHED, "fastcgi_buffering off;"),
    "nginx, php-fpm, X-Accel-Buffering": lambda rig: rig.nginx_fcgi("header('X-Accel-Buffering: no'); " + PHP_FLUSHED),
    "apache, fcgi, flushpackets=on": lambda rig: rig.apache_fcgi(PHP_FLUSHED, "flushpackets=on"),
    "apache, mod_deflate, no-gzip": lambda rig: rig.before("apache", change=[(
        "ProxyPass", 'AddOutputFilterByType DEFLATE text/event-stream\nSetEnvIf Request_URI "^/" no-gzip\nProxyPass')]),
    "apache, ProxyTimeout 3600": lambda rig: rig.before("apache", rig.quiet.good(), change=[(
        "ProxyPass", "ProxyTimeout 3600\nProxyPass")]),
    "haproxy, compression": lambda rig: rig.before("haproxy", change=[(
        "no-delay\n", "no-delay\n    compression algo gzip\n    compression type text/event-stream\n")]),
    "apache, fcgi, flushpackets=on, mod_deflate": lambda rig: rig.apache_fcgi(
        PHP_FLUSHED, "flushpackets=on", "AddOutputFilterByType DEFLATE text/event-stream"),
    "lighttpd, mod_deflate": lambda rig: rig.before("lighttpd", change=[deflate("text/event-stream")]),
    "haproxy, compression of other types": lambda rig: rig.before("haproxy", change=[(
        "no-delay\n", "no-delay\n    compression algo gzip\n    compression type text/css\n")]),
    "haproxy, timeouts of 1h": lambda rig: rig.before("haproxy", rig.quiet.good(), change=[
        ("bind :80\n", "bind :80\n    timeout client 1h\n"), ("backend sse\n", "backend sse\n    timeout server 1h\n")]),
    "caddy, flush_interval -1": lambda rig: rig.before("caddy", change=[(
        "reverse_proxy 127.0.0.1:8080", "reverse_proxy 127.0.0.1:8080 {\n        flush_interval -1\n    }")]),
    "caddy, a matcher at encode": lambda rig: rig.before("caddy", change=[(
        "    reverse_proxy", "    @others not path /\n    encode @others gzip\n    reverse_proxy")]),
    "lighttpd, mod_deflate of other types": lambda rig: rig.before("lighttpd", change=[deflate("text/css")]),
    "node, compression with flush": node(*COMPRESSED, FLUSHED),
    "varnish, long time limit": lambda rig: rig.before("varnish", rig.quiet.good(), example=(
        EXAMPLES / FILES["varnish"]).read_text("utf-8").replace(
            "    .port", "    .between_bytes_timeout = 1h;\n    .port")),
    "gunicorn, long --timeout": gunicorn("--workers", "6", "--timeout", "3600"),
}

LINE = {"fields", "no-blank-line", "no-data", "id-nul", "utf-8", "double", "bom", "retry"}
BAD = {
    "origin, pages of 4096": (at(pages(4096)), {"held-back"}),
    "origin, pages of 8192": (at(pages(8192)), {"held-back"}),
    "origin, pieces of 4000": (at(pages(4000, 2)), {"held-back", "bursts"}),
    "origin, batches": (at(batches), {"bursts"}),
    "origin, collected": (at(collected), {"collected", "late-head"}),
    "origin, head with an event after 2s": (at(head_with_event(20)), {"late-head"}),
    "origin, head with an event after 4s": (at(head_with_event(40)), {"late-head"}),
    "origin, no response": (at(lambda rig: lambda c: c.wait_for_close()), {"no-head"}),
    "origin, closed at once": (at(lambda rig: lambda c: None), {"no-head"}),
    "origin, silent": (at(lambda rig: lambda c: (c.head(), c.wait_for_close())), {"silent"}),
    "origin, keepalives held back": (at(keepalives_together), {"held-back"}),
    "origin, gzip never flushed": (at(squeezed(never)), SQUEEZED),
    "origin, gzip flushed before": (at(squeezed(before_it, 4)), SQUEEZED),
    "origin, one client": (at(only_first(False)), {"one-at-a-time"}),
    "origin, session lock": (at(only_first(True)), {"session-lock"}),
    "origin, cut": (at(cut_after(5)), {"cut"}),
    "origin, cut inside": (at(cut_after(5, "inside")), {"cut"}),
    "origin, reset": (at(cut_after(5, "reset")), {"cut"}),
    "origin, 404": (at(answer("404 Not Found", "no")), {"status"}),
    "origin, 204": (at(answer("204 No Content")), {"status"}),
    "origin, 500": (at(answer("500 Error", "no")), {"status"}),
    "origin, JSON": (at(answer("200 OK", "{}", content_type="application/json")), {"content-type"}),
    "origin, no type": (at(answer("200 OK", "data: 1\n\n")), {"content-type"}),
    "origin, a page": (at(answer("200 OK", "<!doctype html>", content_type="text/html")), {"html"}),
    "origin, latin-1": (at(stream(content_type="text/event-stream; charset=iso-8859-1")), {"charset"}),
    "origin, max-age": (at(stream(lambda n, t: t, "Cache-Control: max-age=60")), {"cache-control"}),
    "origin, Age": (at(stream(lambda n, t: t, "Age: 30", "Cache-Control: no-store")), {"cached"}),
    "origin, X-Cache": (at(stream(lambda n, t: t, "X-Cache: HIT", "Cache-Control: no-store")), {"cached"}),
    "origin, HTTP/1.0": (at(http10), {"framing"}),
    "origin, Content-Length": (at(with_length), {"content-length"}),
    "origin, no IDs": (at(stream(lambda n, t: f"data: {n}\n\n")), {"no-ids"}),
    "origin, one ID": (at(stream(lambda n, t: f"id: 7\ndata: {n}\n\n")), {"ids-repeat"}),
    "origin, IDs of each connection": (at(per_connection_ids), {"ids-differ", "resume-restart", "resume-ignored"}),
    "origin, no history": (at(stream(first=newest)), {"resume-ignored"}),
    "origin, resume from the start": (at(stream(first=from_start)), {"resume-restart"}),
    "origin, resume with the last": (at(stream(first=inclusive)), {"resume-inclusive"}),
    "origin, resume with a gap": (at(stream(first=with_gap)), {"resume-gap"}),
    "origin, resume refused": (at(refuses_resume), {"resume-status"}),
    "origin, ends and repeats": (at(whole(event(1) + event(2) + event(3))), {"ends-and-repeats"}),
    "origin, depends on Accept": (at(depends_on_accept), {"accept-differs"}),
    "origin, Data:": (at(stream(lambda n, t: t.replace("data:", "Data:"))), LINE),
    "origin, unknown field": (at(stream(lambda n, t: "foo: 1\n" + t)), LINE),
    "origin, no blank line": (at(stream(lambda n, t: t.replace("\n\n", "\n"), before="")), LINE),
    "origin, no data": (at(stream(lambda n, t: f"event: x\nid: {n}\n\n")), LINE),
    "origin, NUL in ID": (at(stream(lambda n, t: f"id: a\0{n}\ndata: 1\n\n")), LINE),
    "origin, latin-1 bytes": (at(stream(lambda n, t: f"id: {n}\ndata: caf\xe9\n\n".encode("latin-1"))), LINE),
    "origin, framed twice": (at(stream(lambda n, t: f"id: {n}\ndata: data: {n}\n\n")), LINE),
    "origin, byte order marks": (at(stream(lambda n, t: "\ufeff" + t)), LINE),
    "origin, retry: 3s": (at(stream(lambda n, t: "retry: 3s\n" + t)), LINE),
    "origin, retry: 1": (at(stream(lambda n, t: "retry: 1\n" + t)), LINE),
    "origin, last event lost": (at(whole("id: 1\ndata: 1\n\nid: 2\ndata: 2\n")), LINE),
    "origin, page of another origin": (at(stream()), {"cors"}, ["--origin", "https://app.example"]),
    "nginx, default, upstream without chunks": (lambda rig: rig.nginx("", http10(rig)), HELD),
    "nginx, HTTP/1.1, upstream without chunks": (lambda rig: rig.nginx("proxy_http_version 1.1;", http10(rig)), HELD),
    "nginx, gzip, upstream without chunks": (lambda rig: rig.nginx("gzip on; gzip_types text/event-stream;", http10(rig)),
                                             HELD | SQUEEZED),
    "nginx, buffered, gzip": (lambda rig: rig.nginx("gzip on; gzip_types text/event-stream;"), HELD | SQUEEZED),
    "nginx, short time limit": (lambda rig: rig.nginx(UNBUFFERED + " proxy_read_timeout 2s;",
                                                      rig.quiet.good()), {"cut"}),
    "nginx, no upstream": (lambda rig: rig.nginx("return 502;"), {"status"}),
    "haproxy, short time limit": (lambda rig: rig.before("haproxy", rig.quiet.good(), change=[
        ("backend sse\n", "backend sse\n    timeout server 2s\n")]), {"cut"}),
    "haproxy, no server": (lambda rig: rig.before("haproxy", change=[("server sse 127.0.0.1:8080",
                                                                     "server sse 127.0.0.1:1")]), {"status"}),
    "lighttpd, default": (lambda rig: rig.before("lighttpd", change=[("server.stream-response-body = 2\n", "")]), HELD),
    "varnish, not streaming": (lambda rig: rig.before("varnish", example=(EXAMPLES / FILES["varnish"]).read_text("utf-8")
                               + "sub vcl_backend_response { set beresp.do_stream = false; }\n"), HELD),
    "varnish, cached": (lambda rig: rig.before("varnish", whole(event(1) + event(2))(rig), example=(
        EXAMPLES / FILES["varnish"]).read_text("utf-8")
        + "sub vcl_backend_response { set beresp.ttl = 1h; set beresp.uncacheable = false; return (deliver); }\n"),
        {"cached"}),
    "gunicorn, one worker": (gunicorn("--workers", "1"), {"one-at-a-time"}),
    "lighttpd, mod_deflate, not streaming": (lambda rig: rig.before("lighttpd", change=[
        ("server.stream-response-body = 2\n", ""), deflate("text/event-stream")]), HELD),
    "node, compression": (node(*COMPRESSED), SQUEEZED),
    "node, head with the first event": (node(("a.flushHeaders();", ""), ("}, 100)", "}, 2000)")), {"late-head"}),
    "nginx, php-fpm": (lambda rig: rig.nginx_fcgi(PHP_FLUSHED), HELD),
    "apache, fcgi": (lambda rig: rig.apache_fcgi(PHP_FLUSHED), HELD),
    "apache, short time limit": (lambda rig: rig.before("apache", rig.quiet.good(), change=[(
        "ProxyPass", "ProxyTimeout 2\nProxyPass")]), {"cut"}),
    "varnish, short time limit": (lambda rig: rig.before("varnish", rig.quiet.good(), example=(
        EXAMPLES / FILES["varnish"]).read_text("utf-8").replace(
            "    .port", "    .between_bytes_timeout = 2s;\n    .port")), {"cut"}),
    "gunicorn, short --timeout": (gunicorn("--workers", "6", "--timeout", "2"), {"cut"}),
    "python -m http.server": (http_server, {"content-type"}),
    "python, a file": (static_file, {"content-length"}),
    "php, held back": (php(PHP_HELD), HELD | {"bursts", "held-back-times"}),
    "php, session": (php("session_start(); " + PHP_GOOD), {"session-lock"}),
    "sse serve, unknown path": (lambda rig: rig.serve("--wait-clients", "0", "--on-eof", "hold") + "none", {"status"}),
}

# Each remedy that `sse check` gives for a server of Debian: an ID with it, the server, an endpoint with the fault (None:
# the fault does not show with this version) and the same with the remedy.
REMEDIES = {
    ("held-back", "nginx"): ("nginx, php-fpm", "nginx, php-fpm, fastcgi_buffering off"),
    ("held-back", "apache"): ("apache, fcgi", "apache, fcgi, flushpackets=on"),
    ("held-back", "haproxy"): (None, "haproxy as in the manual"),
    ("held-back", "varnish"): ("varnish, not streaming", "varnish, pipe"),
    ("held-back", "lighttpd"): ("lighttpd, default", "lighttpd as in the manual"),
    ("held-back", "caddy"): (None, "caddy, flush_interval -1"),
    ("held-back", "php"): ("php, held back", "php, flushed"),
    ("held-back", "node"): ("node, head with the first event", "node"),
    ("compression-holds", "nginx"): ("nginx, buffered, gzip", "nginx, gzip of other types"),
    ("compression-holds", "apache"): (None, "apache, mod_deflate, no-gzip"),
    ("compression-holds", "caddy"): (None, "caddy, a matcher at encode"),
    ("compression-holds", "haproxy"): (None, "haproxy, compression of other types"),
    ("compression-holds", "lighttpd"): (None, "lighttpd, mod_deflate of other types"),
    ("compression-holds", "node"): ("node, compression", "node, compression with flush"),
    ("cut", "nginx"): ("nginx, short time limit", "nginx, proxy_read_timeout 1h"),
    ("cut", "haproxy"): ("haproxy, short time limit", "haproxy, timeouts of 1h"),
    ("cut", "apache"): ("apache, short time limit", "apache, ProxyTimeout 3600"),
    ("cut", "varnish"): ("varnish, short time limit", "varnish, long time limit"),
    ("cut", "gunicorn"): ("gunicorn, short --timeout", "gunicorn, long --timeout"),
}
