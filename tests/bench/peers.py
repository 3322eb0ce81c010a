"""The servers whose fan-out is measured, each on a processor of its own: ours, a loop of send() and one
submission to io_uring (bare_send.cpp), nginx with Debian's libnginx-mod-nchan, nginx with a Lua handler, and node with
better-sse and without a library."""
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from bench.measure import SERVER, npm, on, processes
from support.ports import free_port

NGINX = """
{modules}
{user} worker_processes 1; daemon off; pid {dir}/pid; error_log {dir}/error.log;
worker_rlimit_nofile 65536;
events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_requests 1000000;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  {http}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    {server}
  }}
}}
"""
NCHAN = {
    "modules": "load_module /usr/lib/nginx/modules/ngx_nchan_module.so;",
    "http": "nchan_shared_memory_size 512M;",
    "server": """
    location = / { nchan_subscriber eventsource; nchan_channel_id x; nchan_subscriber_first_message newest; }
    location = /pub { nchan_publisher; nchan_channel_id x; nchan_message_buffer_length 100000; }
"""}
LUA = {
    "modules": "load_module /usr/lib/nginx/modules/ndk_http_module.so;\n"
               "load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;",
    "http": "client_body_buffer_size 64k; init_worker_by_lua_block { events = {}; n = 0; waiting = {} }",
    "server": """
    location = / { content_by_lua_block {
        local semaphore = require 'ngx.semaphore'
        local mine, following = semaphore.new(), n + 1
        waiting[mine] = true
        ngx.header['Content-Type'] = 'text/event-stream'
        ngx.send_headers()
        ngx.flush(true)
        while true do
            while following <= n do
                ngx.print('id: ', following, '\\ndata: ', events[following], '\\n\\n')
                following = following + 1
            end
            ngx.flush(true)
            mine:wait(3600)
        end
    } }
    location = /pub { content_by_lua_block {
        ngx.req.read_body()
        n = n + 1
        events[n] = ngx.req.get_body_data()
        for one in pairs(waiting) do one:post(1) end
        ngx.print('taken')
    } }
"""}

NODE = """
import http from 'node:http';
import readline from 'node:readline';
const clients = new Set();
let id = 0;
http.createServer((request, response) => {
    response.writeHead(200, {'Content-Type': 'text/event-stream'});
    response.flushHeaders();
    clients.add(response);
    request.on('close', () => clients.delete(response));
}).listen({port: 0, host: '127.0.0.1', backlog: 4096}, function () { console.error('port ' + this.address().port); });
readline.createInterface({input: process.stdin}).on('line', line => {
    const block = `id: ${++id}\\ndata: ${line}\\n\\n`;
    for (const client of clients) client.write(block);
}).on('close', () => process.exit(0));
"""
BETTER_SSE = """
import http from 'node:http';
import readline from 'node:readline';
import {createChannel, createSession} from 'better-sse';
const channel = createChannel();
let id = 0;
http.createServer(async (request, response) => {
    channel.register(await createSession(request, response, {serializer: String, keepAlive: null}));
}).listen({port: 0, host: '127.0.0.1', backlog: 4096}, function () { console.error('port ' + this.address().port); });
readline.createInterface({input: process.stdin})
    .on('line', line => channel.broadcast(line, 'message', {eventId: String(++id)}))
    .on('close', () => process.exit(0));
"""


class Piped:
    """A server that reads its events from stdin and announces its port on stderr."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(on(SERVER, *command), stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                        bufsize=0, **options)
        self.pids = [self.process.pid]
        self.port = None
        while self.port is None:  # notes may come before
            line = self.process.stderr.readline().decode()
            assert line, f"{command} did not start"
            found = re.search(r"(?:^port |serving http://127.0.0.1:)(\d+)", line)
            self.port = found and int(found[1])
        threading.Thread(target=self.process.stderr.read, daemon=True).start()  # nobody waits for a reader of it

    def publish(self, lines):
        data = memoryview(b"".join(line + b"\n" for line in lines))
        while data:
            data = data[os.write(self.process.stdin.fileno(), data):]

    def end(self):
        self.process.stdin.close()

    def close(self):
        self.process.terminate()
        self.process.wait()


class Posted:
    """A server that is published to with POSTs."""

    def connect(self, port, path):
        self.port, self.path = port, path
        for _ in range(100):
            try:
                self.publisher = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.05)
        self.publisher.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def publish(self, lines):
        """Pipelined, all on one connection; done when all have been answered."""
        posts = b"".join(b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                         b"Content-Length: %d\r\n\r\n%b" % (self.path, len(line), line) for line in lines)
        writer = threading.Thread(target=self.publisher.sendall, args=(posts,))
        writer.start()
        left, rest = len(lines), b""
        while left > 0:
            piece = self.publisher.recv(1 << 20)
            assert piece, "the publisher's connection was closed"
            left -= (rest + piece).count(b"HTTP/1.1 20")
            rest = piece[-10:]
        writer.join()

    def end(self):
        self.process.terminate()

    def close(self):
        self.process.terminate()
        self.process.wait()


class Nginx(Posted):
    def __init__(self, directory, parts):
        port = free_port()
        conf = Path(directory, "nginx.conf")
        conf.write_text(NGINX.format(dir=directory, port=port, user="user root;" if os.geteuid() == 0 else "",
                                     **parts), encoding="utf-8")
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen(on(SERVER, program, "-c", str(conf), "-p", directory),
                                        stderr=subprocess.DEVNULL)
        self.connect(port, b"/pub")
        self.publish([b"0"])
        self.pids = processes(self.process.pid)


class Published(Posted):
    """sse serve --publish"""

    def __init__(self, command):
        server = Piped(command)
        self.process, self.pids = server.process, server.pids
        self.connect(server.port, b"/")


def start(name, setting, clients, directory):
    """None if it cannot be had here."""
    serve = [setting.sse, "serve", "--listen", "127.0.0.1:0", "--max-clients", "20000"]
    if name == "bare":
        return Piped([setting.tool("sse_bare_send"), str(clients)])
    if name == "bare io_uring":
        features = subprocess.run([setting.sse, "--version"], capture_output=True, text=True, check=True).stdout
        if not features.rstrip().endswith(", io_uring"):
            return None
        return Piped([setting.tool("sse_bare_send"), str(clients), "--io-uring"])
    if name == "sse":
        return Piped(serve)
    if name == "sse --io send":
        return Piped([*serve, "--io", "send"])
    if name == "sse --publish":
        return Published([*serve, "--publish"])
    if name == "nchan":
        return Nginx(directory, NCHAN)
    if name == "lua":
        return Nginx(directory, LUA)
    if name == "better-sse" and not npm(directory, "better-sse"):
        return None
    Path(directory, "server.mjs").write_text(BETTER_SSE if name == "better-sse" else NODE, encoding="utf-8")
    return Piped(["node", "server.mjs"], cwd=directory)
