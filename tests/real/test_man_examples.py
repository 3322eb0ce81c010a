"""Every example of the manual pages, as it stands there, against stand-ins on this machine. Each has
a check below, and each check an example."""
import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import test_shapes
from support.deadline import poll
from support.examples import EVENTS, RECORDING, Bench, stand_in
from support.manual import MAN, commands, examples
from support.ports import free_port

pytestmark = pytest.mark.release


def everybody(c):
    """The servers of all examples."""
    for path, handler in (("/v1/chat", test_shapes.openai), ("/v1beta", test_shapes.gemini),
                          ("/v1/messages", test_shapes.anthropic(*test_shapes.STOP))):
        if c.request.target.startswith(path):
            return handler(c)
    return stand_in(c)


@pytest.fixture
def bench(sse, origin, tmp_path):
    made = Bench(Path(sse.binary).resolve(), origin(everybody, port=free_port()), tmp_path)
    yield made
    made.close()


def whole(text):
    """All of an example as one script."""
    return "\n".join(commands(text))


def datas(wire, url, count=None, **options):
    return [event.data for event in wire.get(url, **options).events(count)]


# ---- sse(1)
def ten_numbers(bench, text, **_):
    serve, read = commands(text)
    bench.serve(serve)
    assert bench.run(read) == "".join(f"{n}\n" for n in range(1, 11))


def record_a_model(bench, text, wire, **_):
    record, play = commands(text)
    bench.file("run.jsonl", "")
    assert bench.run(record).endswith("[DONE]\n")
    bench.serve(play)
    for _ in range(2):
        assert datas(wire, bench.url(path="v1/chat/completions"))[-1] == "[DONE]"


# ---- sse-tail(1)
def model_text(bench, text, **_):
    assert bench.run(whole(text)) == test_shapes.TEXT


def an_mcp_tool(bench, text, **_):
    """The answer of the POST ends early; the result comes by a GET from there on."""
    def server(c):
        if c.request.method == "POST":
            assert c.request.header("mcp-session-id") == "7" and b"tools/call" in c.request.body
            c.head()
            c.chunk('id: 1\ndata: {"method":"notifications/progress"}\n\n')
            return c.end()
        assert (c.request.method, c.request.header("last-event-id")) == ("GET", "1")
        c.head()
        c.chunk('id: 2\ndata: {"jsonrpc":"2.0","id":1,"result":{"content":[]}}\n\n')
        return c.wait_for_close()

    bench.origin.handler = server
    assert bench.run("SESSION=7; " + whole(text)) == '{"content":[]}\n'


def wait_for_one(bench, text, **_):
    assert bench.run(whole(text)) == '{"version":"1.4"}\ntested \n'


def three_for_jq(bench, text, wire, **_):
    bench.serve("seq 5 | sse serve")
    assert [json.loads(line)[1:] for line in bench.run(whole(text)).splitlines()] == [
        ["message", "1"], ["message", "2"], ["message", "3"]]


def resume_after_a_crash(bench, text, **_):
    def cut(c):
        """Breaks after the second event, the first time."""
        if c.number > 0:
            return stand_in(c)
        c.head()
        c.chunk("id: 1\ndata: one\n\nid: 2\nevent: ping\ndata: {}\n\n")
        return c.wait_for_close()

    bench.origin.handler = cut
    crashed = bench.start(whole(text))
    kept = bench.folder / "all.jsonl"
    poll("two events", lambda: kept.exists() and kept.read_text().count("\n") == 2)
    poll("their id", lambda: (bench.folder / "last-id").exists()
         and "2" in (bench.folder / "last-id").read_text())
    crashed.end_hard()
    bench.run(whole(text))
    assert [json.loads(line)["data"] for line in kept.read_text().splitlines()] == [d for _, d in EVENTS]


def record_a_bug(bench, text, **_):
    record, info, squeeze, play = commands(text)
    bench.run(record)
    assert "5 events" in bench.run(info)
    bench.run(squeeze)
    assert "fatal error" in gzip.decompress((bench.folder / "bug.jsonl.gz").read_bytes()).decode()
    assert "data: fatal error\n" in bench.run(play)


def the_wire(bench, text, **_):
    done = bench.start(whole(text))
    assert done.wait() == 0 and done.stdout.bytes == b""
    assert "> GET /events HTTP/1.1" in done.stderr.text()
    assert re.search(r"^sse: stats: .*\b5\b", done.stderr.text(), re.MULTILINE)


def a_command_each(bench, text, **_):
    assert bench.run(whole(text)) == "tested deployed\n"


def two_streams(bench, text, **_):
    assert sorted(bench.run(whole(text)).splitlines()) == ["live\tfatal error", "new\tfatal error"]


# ---- sse-serve(1)
def a_log(bench, text, wire, **_):
    bench.serve(whole(text))
    answer = wire.get(bench.url())
    assert [e.data for e in answer.events(2)] == ["started", "ready"]
    log = bench.folder / "app.log"
    log.rename(log.with_suffix(".1"))
    bench.file("app.log", "rotated\n")
    assert answer.events(3)[-1].data == "rotated"


def a_command_again(bench, text, wire, **_):
    bench.serve(whole(text))
    assert datas(wire, bench.url(), 3) == ['{"MESSAGE":"started"}'] * 3


def typed_events(bench, text, wire, **_):
    bench.serve(whole(text))
    event, = wire.get(bench.url()).events()
    assert (event.event, event.id, event.data) == ("deploy", "42", '{"version":"1.4"}')


PAGE = next(text for _, text in examples() if text.startswith("<!doctype"))


def a_dashboard(bench, text, browser, **_):
    serve, pages = commands(text)
    bench.file("dashboard.html", bench.adapted(PAGE))
    bench.serve(serve)
    bench.start(pages)
    poll("the server of pages", lambda: answers(bench.ports["8000"]))
    browser.open(f"http://localhost:{bench.ports['8000']}/dashboard.html")
    poll("the numbers on the page", lambda: "42" in str(browser.run("document.body?.innerText")))


def answers(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def its_page(bench, text, **_):
    """Run with the dashboard; here: that it says what that one serves."""
    assert "'vmstat'" in text and text == PAGE


def a_relay(bench, text, wire, **_):
    bench.serve(whole(text))
    for _ in range(2):
        assert [(e.id, e.data) for e in wire.get(bench.url()).events(5)] == [
            (str(n), data) for n, (_, data) in enumerate(EVENTS, 1)]
    assert len(bench.origin.requests) <= 2  # and not one for each reader


def publishing(bench, text, **_):
    serve, publish, read = commands(text)
    bench.serve(serve)
    assert re.fullmatch(r'.*"id":"\d+-\d+".*\s*|\d+-\d+\s*', bench.run(publish))
    assert bench.run(read) == "build 7 passed\n"


def a_free_port(bench, text, **_):
    bench.file("port", "1\n")  # of a run before
    assert bench.run(whole(text)) == "compiling\nlinked\n"


def over_tls(bench, text, **_):
    bench.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
              " -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2> /dev/null")
    secret, private, serve, read = commands(text)
    bench.run(f"{secret}\n{private}")
    server = bench.serve(serve)
    assert "every user" not in server.stderr.text()
    assert bench.run(read) == "started\n"
    bench.run(re.sub(r'--bearer "\S+ \S+"', "--bearer wrong", read), status=22)


def behind_nginx(bench, text, nginx, wire, **_):
    bench.serve("sse serve -f app.log")
    proxy = nginx(bench.adapted(text))
    answer = wire.get(proxy.url + "events")
    assert [e.data for e in answer.events(2)] == ["started", "ready"]
    bench.file("app.log", "started\nready\nnow\n")
    assert answer.events(3)[-1].data == "now"


def before_caddy(bench, text, wire, **_):
    bench.serve(whole(text))
    for host, status in (("events.example", 200), ("evil.example", 403)):
        assert wire.get(bench.url(), headers={"Host": host}).status == status


def behind_caddy(bench, text, wire, **_):
    if not shutil.which("caddy"):
        pytest.skip("caddy is not installed")
    bench.serve("sse serve --allow-host events.example -f app.log")
    port = free_port()
    config = "{\n  admin off\n}\n" + bench.adapted(text).replace("events.example", f"http://events.example:{port}")
    bench.file("Caddyfile", config)
    bench.start("HOME=$PWD exec caddy run --adapter caddyfile --config Caddyfile")
    poll("Caddy", lambda: answers(port))
    answer = wire.get(f"http://127.0.0.1:{port}/", headers={"Host": f"events.example:{port}"})
    assert [e.data for e in answer.events(2)] == ["started", "ready"]
    bench.file("app.log", "started\nready\nnow\n")
    assert answer.events(3)[-1].data == "now"


def unit(bench, text, name):
    """Writes a unit with the program under test in the place of the installed one."""
    assert text + "\n" == (MAN / "examples" / name).read_text(encoding="utf-8")
    adapted = bench.adapted(text).replace("/usr/bin/sse", str(bench.binary))
    return bench.file(name, adapted.replace("/var/log/app.log", str(bench.folder / "app.log")))


def systemd_units(bench, text, **_):
    """What systemd says of both; that it is well locked in; and the service, started as systemd
    starts it, by its first client."""
    texts = [t for _, t in examples() if t.startswith("[Unit]")]
    files = [unit(bench, t, n) for t, n in zip(texts, ("sse.socket", "sse.service"))]
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True,
                            check=False)
    assert (verify.returncode, verify.stderr) == (0, ""), verify.stderr
    locked = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", files[1]],
                            capture_output=True, text=True, check=False)
    assert locked.returncode == 0, locked.stdout[-200:]
    command = re.search(r"^ExecStart=(.*)$", files[1].read_text(), re.MULTILINE)[1]
    address = re.search(r"^ListenStream=(.*)$", files[0].read_text(), re.MULTILINE)[1]
    bench.start(f"exec systemd-socket-activate -l {address} {command}")
    poll("systemd's socket", lambda: answers(bench.ports["8080"]))
    assert bench.run("sse tail -n 2 :8080") == "started\nready\n"


# ---- sse-replay(1)
def mock_for_ci(bench, text, **_):
    bench.file("port", "1\n")  # of a run before
    bench.run(whole(text))
    assert "data: fatal error\n" in (bench.folder / "answer").read_text()


def for_one_client(bench, text, wire, **_):
    server = bench.serve(whole(text))
    assert datas(wire, bench.url())[-1] == "last"
    assert server.wait() == 0


def cut_rig(bench, text, wire, **_):
    bench.serve(whole(text))
    got, last = [], None
    for _ in range(2):
        answer = wire.get(bench.url(), headers={"Last-Event-ID": last} if last else {})
        got += answer.events(3)
        last = got[-1].id
    assert [event.data for event in got] == [*(d for _, d in EVENTS), "last"]


def as_text(bench, text, **_):
    assert bench.run(whole(text)).count("data: ") == 6


def a_capture(bench, text, **_):
    assert "5 events" in bench.run(whole(text))
    times = [json.loads(line)["t"] for line in (bench.folder / "feed.jsonl").read_text().splitlines()[1:]]
    assert len(times) >= 5 and times[1] - times[0] == pytest.approx(0.05)


def a_cassette(bench, text, wire, **_):
    shutil.rmtree(bench.folder / "recordings")
    bench.file("cassette.yaml", "interactions:\n" + "".join(
        f"- request: {{method: GET, uri: 'https://api.example/{n}'}}\n"
        f'  response: {{status: 200, headers: {{Content-Type: text/event-stream}}, body: "data: {n}\\n\\n"}}\n'
        for n in (1, 2)))
    convert, play = commands(text)
    bench.run(convert)
    bench.serve(play)
    assert [datas(wire, bench.url(path=str(n))) for n in (1, 2)] == [["1"], ["2"]]


def while_it_records(bench, text, wire, **_):
    bench.serve(whole(text))
    assert datas(wire, bench.url(), 5) == [d for _, d in EVENTS]


def into_a_server(bench, text, wire, **_):
    bench.serve("sse serve --publish --path /in")
    done = bench.start(whole(text))
    assert done.wait() == 0, done.stderr.text()
    assert datas(wire, bench.url(path="in"), 6)[-1] == "last"


def without_a_type(bench, text, wire, **_):
    bench.serve(whole(text))
    assert datas(wire, bench.url()) == ["one", '{"version":"1.4"}', "fatal error", "five", "last"]


# ---- sse-record(1)
def record_once(bench, text, **_):
    record, test, replay = commands(text)
    model = bench.origin.handler

    def without_a_key(c):
        c.request.headers.append(("Authorization", "Bearer sk-secret"))
        model(c)
    bench.origin.handler = without_a_key
    proxy = bench.serve(record)
    bench.run(test)
    first = (bench.folder / "answer").read_text()
    assert first.endswith("data: [DONE]\n\n")
    os.killpg(proxy.pid, signal.SIGTERM)
    proxy.wait()
    bench.serve(replay)
    (bench.folder / "answer").unlink()
    bench.run(test)
    assert (bench.folder / "answer").read_text() == first


def record_what_is_new(bench, text, wire, **_):
    bench.serve(whole(text))
    known = bench.folder / "recordings/chat.jsonl"
    assert datas(wire, bench.url(path="events"), 5) == [d for _, d in EVENTS]
    answer = wire.request(bench.url(path="v1/chat/completions"), "POST", body=b"{}")
    assert answer.events()[-1].data == "last"
    assert {p.name for p in known.parent.iterdir()} == {"chat.jsonl", "GET-events-0001.jsonl"}


# ---- sse-recording(5)
def the_format(bench, text, **_):
    """Is one, once the first lines are put together as the page says."""
    bench.file("run.jsonl", text.replace("\n ", " ") + "\n")
    assert "data: Hello\n" in bench.run("sse replay --stdout --no-wait run.jsonl")


def one_type(bench, text, **_):
    assert bench.run(text) == "last\n"


def no_heartbeats(bench, text, **_):
    bench.run(text)
    quiet = (bench.folder / "quiet.jsonl").read_text()
    assert quiet.count("\n") == len(RECORDING) - 1
    assert "heartbeat" not in bench.run("sse replay --stdout --no-wait quiet.jsonl")


# The first line of each example, and what shows that it does what is said of it.
# ---- sse-store(7)
def a_store(bench, text, wire, **_):
    first = bench.serve(whole(text))
    for data in (b"a", b"b"):
        assert wire.request(bench.url(path="x"), "POST", body=data).status == 201
    last = wire.get(bench.url(path="x")).events(1)[0].id
    first.end_hard()
    bench.serve(whole(text))
    assert datas(wire, bench.url(path="x"), 1, headers={"Last-Event-ID": last}) == ["b"]


def a_check(bench, text, **_):
    assert "\n0 errors, " in bench.run(whole(text))


def a_check_in_ci(bench, text, **_):
    bench.run(whole(text))
    assert "<testsuites " in (bench.folder / "check.xml").read_text("utf-8")


def two_nodes(bench, text, wire, **_):
    """What is published through HAProxy or nginx reaches a client of each server, and goes on without one of them."""
    config = "haproxy-nodes.cfg"
    bench.file(config, bench.adapted((MAN / "examples" / config).read_text("utf-8")))
    redis, first, second, balancer = commands(text.replace("/usr/share/doc/sse/examples/", ""))
    bench.start(redis.rstrip("&"))
    nodes = [bench.serve(node.rstrip("&")) for node in (first, second)]
    haproxy = bench.start(balancer)
    for admin in ("9081", "9082"):
        poll("a node", lambda: wire.get(bench.url(admin, "readyz")).status == 200)

    def published():
        try:
            return wire.request(bench.url(), "POST", body=b"one").status == 201
        except OSError:
            return False
    poll("HAProxy", published)
    events = [wire.get(bench.url(port)).events(1)[0] for port in ("8081", "8082", "8080")]
    assert [e.data for e in events] == ["one"] * 3
    haproxy.end_hard()
    bench.file("nodes.conf", bench.adapted((MAN / "examples/nginx-nodes.conf").read_text("utf-8")))
    bench.file("nginx.conf", f"daemon off; pid {bench.folder}/pid; error_log {bench.folder}/error.log;\n"
               f"events {{}}\nhttp {{ access_log off; client_body_temp_path {bench.folder}/body; include nodes.conf; }}\n")
    bench.start(f"nginx -c {bench.folder}/nginx.conf -e {bench.folder}/error.log")
    poll("nginx", published)
    nodes[0].end_hard()
    poll("the other node", published)
    assert datas(wire, bench.url("8082"), 1, headers={"Last-Event-ID": events[0].id}) == ["one"]


# ---- sse-bench(1)
def load(bench, text, **_):
    """For a shorter time, with fewer subscribers, and without a limit of time."""
    text = text.replace("--storm 10s", "--storm 300ms")
    bench.serve("sse serve --publish --on-eof hold")
    quick = re.sub(r"(:8080\s*)$", r"-c 20 -t 1s --warm-up 0 \1", whole(text)).replace("250ms", "1h")
    assert "lost " in bench.run(quick)


def from_a_time_in_the_data(bench, text, **_):
    bench.serve("echo '{\"ts\":1795000000.25}' | sse serve")
    assert json.loads(bench.run(whole(text))).keys() >= {"count", "p50", "max"}


CHECKS = {
    "$ sse check --direct https://origin.example/events \\": a_check,
    "$ sse check -o junit --require resume https://example.org/events \\": a_check_in_ci,
    "$ sse bench -c 1000 --rate 10 --publish :8080 \\": load,
    "$ sse bench -t 5s --time-pointer /ts -o json :8080 | jq .delivery": from_a_time_in_the_data,
    "$ sse bench -c 500 --rate 20 --publish :8080 --storm 10s --html report.html :8080": load,
    "$ sse bench -H 'Authorization: Bearer user-{n}' :8080": load,
    "$ seq 10 | sse serve": ten_numbers,
    "$ sse tail --record run.jsonl --until-data '[DONE]' --bearer \"$KEY\" \\": record_a_model,
    '$ sse tail --bearer "$KEY" --json @body.json \\': model_text,
    "$ sse tail -H \"x-api-key: $KEY\" -H 'anthropic-version: 2023-06-01' \\": model_text,
    '$ sse tail -H "x-goog-api-key: $KEY" --json @body.json \\': model_text,
    "$ sse tail --json @call.json --resume-get --pointer /result -n 1 \\": an_mcp_tool,
    "$ sse tail -m 1m -e deployed -n 1 https://ci.example/events &&": wait_for_one,
    "$ sse tail -o json -n 3 :8080 | jq -c '[.id, .event, .data]'": three_for_jq,
    "$ sse tail --state last-id -o json https://example.org/events \\": resume_after_a_crash,
    "$ sse tail --record bug.jsonl -m 1m https://shop.example/prices \\": record_a_bug,
    "$ sse tail -v --stats -n 5 https://example.org/events > /dev/null": the_wire,
    "$ sse tail -e deployed --exec ./smoke-test https://ci.example/events": a_command_each,
    "$ sse tail --grep 'error|fatal' \\": two_streams,
    "$ sse serve -f app.log": a_log,
    "$ sse serve --restart -- journalctl -f -o json": a_command_again,
    "$ echo '{\"event\":\"deploy\",\"id\":\"42\",\"data\":{\"version\":\"1.4\"}}' |": typed_events,
    "$ vmstat -n 1 | sse serve --event vmstat --cors http://localhost:8000": a_dashboard,
    "<!doctype html>": its_page,
    "$ sse tail -o sse https://example.org/events | sse serve --input sse": a_relay,
    "$ sse serve --publish --channels": publishing,
    "$ rm -f port": None,  # two of that beginning: told apart by the page
    "$ openssl rand -hex 20 > readers": over_tls,
    "location /events {": behind_nginx,
    "$ sse serve --allow-host events.example -f app.log": before_caddy,
    "events.example {": behind_caddy,
    "[Unit]": systemd_units,
    "$ sse replay --speed 10 --once run.jsonl": for_one_client,
    "$ sse replay --drop-every 3 run.jsonl": cut_rig,
    "$ sse replay --stdout --no-wait run.jsonl": as_text,
    "$ curl -siN https://api.example/feed > feed.sse": a_capture,
    "$ sse replay --to jsonl --output-dir recordings/ cassette.yaml": a_cassette,
    "$ sse tail --record - https://api.example/feed |": while_it_records,
    "$ sse replay --max-gap 1s --post http://localhost:8080/in week.jsonl": into_a_server,
    "$ jq -c 'select(.event != \"ping\")' run.jsonl | sse replay -": without_a_type,
    "$ sse record https://api.example/ recordings/": record_once,
    "$ sse record --mode new --match-ignore /metadata/request_id \\": record_what_is_new,
    '{"sse":1,"started":"2026-11-22T05:00:00.123Z","tool":"sse 0.1.0",': the_format,
    "$ sse serve --publish --channels --store events --retain 7d,10gb": a_store,
    "$ redis-server --port 6379 --appendonly yes --appendfsync always &": two_nodes,
    "jq -r 'select(.event == \"delta\").data' run.jsonl": one_type,
    "grep -v '\"comment\":' run.jsonl > quiet.jsonl": no_heartbeats,
}
PORT_FILE = {"sse-serve.1": a_free_port, "sse-replay.1": mock_for_ci}


def test_every_check_has_its_example():
    assert {text.split("\n")[0] for _, text in examples()} == set(CHECKS)


@pytest.mark.parametrize("page, text", examples(),
                         ids=[f"{page}: {text.split(chr(10))[0][:60]}" for page, text in examples()])
def test_example(bench, page, text, wire, request):
    check = CHECKS[text.split("\n")[0]] or PORT_FILE[page]
    fixtures = {name: request.getfixturevalue(name) for name in ("nginx", "browser")
                if name in check.__code__.co_varnames[:check.__code__.co_argcount]}
    check(bench, text, wire=wire, **fixtures)
