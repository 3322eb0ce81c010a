"""A place to run examples in, as they stand in a page: stand-ins for what they ask, and a shell.

What is changed in an example: https://HOST.example/ is a stand-in's address, and the usual ports are
free ones. `sse` is the program under test; what else an example calls and nobody has (npm, a smoke
test) is a script made here."""
import json
import os
import re
import subprocess

from support.ports import free_port
from support.process import Process

EVENTS = [("", "one"), ("ping", "{}"), ("deployed", '{"version":"1.4"}'), ("", "fatal error"), ("", "five")]
HOST = r"https?://(?:[\w-]+\.)*example(?:\.org)?/"
RECORDING = [
    {"sse": 1, "started": "2026-11-22T05:00:00.123Z", "url": "https://api.example/v1/chat/completions",
     "request": {"method": "POST", "headers": {}},
     "response": {"status": 200, "headers": {"Content-Type": "text/event-stream"}}},
    *({"t": n / 100, "event": e or "message", "id": str(n), "data": d} for n, (e, d) in enumerate(EVENTS, 1)),
    {"t": 0.06, "comment": " heartbeat"},
    {"t": 0.07, "event": "delta", "id": "6", "data": "last"},
    {"t": 0.08, "close": "eof"},
]


def stand_in(c):
    """A server of events that knows where a client is: it goes on there, and ends with 204."""
    after = c.request.header("last-event-id")
    if after == str(len(EVENTS)):
        return c.answer("204 No Content")
    c.head()
    for n, (event, data) in enumerate(EVENTS, 1):
        if n > int(after or 0):
            c.chunk(f"id: {n}\n" + (f"event: {event}\n" if event else "") + f"data: {data}\n\n")
    if c.request.target == "/feed":
        c.origin.stop_listening()  # what ended and is gone is not asked again
    c.end()


class Bench:
    """A folder with what examples name, and a shell to run them in."""

    def __init__(self, binary, origin, folder):
        """`origin`: the stand-in, a support.origin.Origin."""
        self.folder, self.binary, self.origin, self._started = folder, binary, origin, []
        self.ports = {port: free_port() for port in ("8080", "8000", "8443", "8081", "8082", "9081", "9082", "6379")}
        self._bin = folder / "bin"
        self._bin.mkdir()
        self._default_listener()
        self.command("make", "echo compiling; echo linked")
        self.command("journalctl", 'echo \'{"MESSAGE":"started"}\'')
        self.command("vmstat", "echo 'procs memory'; echo ' 1  0  42'; sleep 600")
        self.command("npm", 'curl -sS -d "{}" "$OPENAI_BASE_URL/chat/completions" > answer')
        self.file("smoke-test", "#!/bin/sh\necho tested \"$SSE_EVENT\"\n").chmod(0o755)
        self.file("body.json", '{"stream":true}')
        self.file("call.json", '{"jsonrpc":"2.0","id":1,"method":"tools/call"}')
        self.file("app.log", "started\nready\n")
        lines = "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in RECORDING)
        self.file("run.jsonl", lines)
        self.file("week.jsonl", lines.replace('"t":0.08', '"t":360000.0'))
        (folder / "recordings").mkdir()
        self.file("recordings/chat.jsonl", lines)

    def _default_listener(self):
        """An `sse` that listens on a free port where the example leaves the usual one."""
        self.command("sse", f"""
case "$1 $*" in
    *" --listen "* | *" --stdout "* | *" --to "* | *" --info "* | *" --post "* | "tail "* | "check "* | "bench "*) ;;
    *) command=$1; shift; set -- "$command" --listen 127.0.0.1:{self.ports['8080']} "$@" ;;
esac
exec {self.binary} "$@\"""")

    def command(self, name, script):
        path = self._bin / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def url(self, port="8080", path=""):
        return f"http://127.0.0.1:{self.ports[port]}/{path}"

    def adapted(self, text):
        text = re.sub(HOST, self.origin.url, text)
        for port, free in self.ports.items():
            text = re.sub(rf"\b{port}\b", str(free), text)
        return text

    def start(self, text):
        """Starts a part of an example in a shell."""
        process = Process(["bash", "-c", self.adapted(text)], cwd=self.folder, stdin=subprocess.DEVNULL,
                          env={"PATH": f"{self._bin}:{os.environ['PATH']}", "KEY": "sk-secret"})
        self._started.append(process)
        return process

    def serve(self, text):
        """Starts it and waits until it serves."""
        process = self.start(text)
        process.stderr.wait_for(r"^sse: serving \S+$")
        return process

    def run(self, text, status=0):
        """Runs it to its end; returns what it printed."""
        process = self.start(text)
        assert process.wait() == status, process.stderr.text()
        return process.stdout.text()

    def close(self):
        for process in self._started:
            process.end_hard()
