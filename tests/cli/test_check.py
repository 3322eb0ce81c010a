"""`sse check`: what it finds, how it says it, and its exit status."""
import json
import re
import signal
import socket
import subprocess
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest
from support.beat import Beat
from support.deadline import HANG

pytestmark = pytest.mark.release
ROOT = Path(__file__).parents[2]


@pytest.fixture
def beat():
    made = Beat()
    yield made
    made.end()


def report(sse, *args):
    """What is found: the exit status, the findings by id, and the whole report."""
    done = sse.run("check", "-o", "json", *map(str, args))
    assert done.err == "", done.err
    whole = json.loads(done.out)
    return done.status, {f["id"]: f["severity"] for f in whole["findings"]}, whole


def serious(found):
    return {id for id, severity in found.items() if severity != "note"}


def test_a_good_stream_has_no_finding_and_ends_before_the_time(sse, origin, beat):
    status, found, whole = report(sse, origin(beat.good()).url, "-t", "60s")
    assert (status, serious(found)) == (0, set()), whole
    assert {"held-back", "resume-ignored", "one-at-a-time", "compression-holds"} <= set(whole["passed"])


def test_sse_serve_has_no_finding(sse):
    command = "i=0; while :; do echo $i; i=$((i + 1)); sleep 0.2; done"
    server = sse.serve("--", "sh", "-c", command)
    status, found, whole = report(sse, server.url, "-t", "60s")
    assert (status, serious(found)) == (0, set()), whole


def held_back(beat):
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store")
        text = ""
        for number in beat.numbers(beat.now()):
            text += "".join(beat.make(number * 20 + i) for i in range(20))
            if len(text) >= 4096:
                c.chunk(text[:4096])
                text = text[4096:]
    return handler


def compressed_never(beat):
    good = beat.good()

    def handler(c):
        if c.request.header("accept-encoding") != "gzip":
            return good(c)
        c.head("200 OK", "Cache-Control: no-store", "Content-Encoding: gzip")
        c.wait_for_close()
    return handler


def one_at_a_time(beat):
    good = beat.good()
    first = []

    def handler(c):
        if first:
            return c.wait_for_close()
        first.append(c)
        good(c)
    return handler


def session_lock(beat):
    good = beat.good("Set-Cookie: PHPSESSID=7")

    def handler(c):
        return c.wait_for_close() if c.request.header("cookie") else good(c)
    return handler


def without_resume(beat):
    good = beat.good()

    def handler(c):
        c.request.headers = [h for h in c.request.headers if h[0].lower() != "last-event-id"]
        good(c)
    return handler


def starts_over(beat):
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store")
        for number in beat.numbers(1):
            c.chunk(beat.make(number))
    return handler


def cut(beat):
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store")
        first = beat.now()
        beat.wait(first + 2)
        c.send(b"100\r\ndata: 1\n\n")
    return handler


def ends_and_repeats(beat):
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store")
        c.chunk("".join(beat.make(n) for n in range(1, 4)))
        c.end()
    return handler


FAULTS = {
    "held-back": (held_back, "error"), "compression-holds": (compressed_never, "error"),
    "one-at-a-time": (one_at_a_time, "error"), "session-lock": (session_lock, "error"),
    "resume-ignored": (without_resume, "warn"), "resume-restart": (starts_over, "error"), "cut": (cut, "error"),
    "ends-and-repeats": (ends_and_repeats, "error"),
    "status": (lambda beat: lambda c: c.answer("503 Service Unavailable"), "error"),
    "content-type": (lambda beat: lambda c: c.answer("200 OK", "{}", content_type="application/json"), "error"),
    "html": (lambda beat: lambda c: c.answer("200 OK", "<html>", content_type="text/html"), "error"),
    "no-head": (lambda beat: lambda c: None, "error"),
    "cached": (lambda beat: beat.good("Age: 7"), "error"),
}


def test_each_fault_is_found(sse, origin, beat):
    """All at the same time, since most of it is waiting."""
    servers = {id: origin(make(beat)) for id, (make, _) in FAULTS.items()}
    with ThreadPoolExecutor(len(servers)) as pool:
        reports = dict(zip(servers, pool.map(lambda server: report(sse, server.url, "-t", "8s"), servers.values())))
    for id, (_, severity) in FAULTS.items():
        status, found, whole = reports[id]
        assert found.get(id) == severity, (id, whole)
        assert status == (1 if severity == "error" else 0), (id, whole)


def test_the_report_for_people(sse, origin):
    server = origin(lambda c: c.answer("404 Not Found", "\x1b[31m", "Server: nginx/1.22", content_type="text/plain"))
    done = sse.run("check", server.url)
    text = done.out.decode()
    assert (done.status, done.err) == (1, "")
    assert text.startswith(server.url) and "status 404, text/plain, nginx/1.22, HTTP/1.1" in text
    assert re.search(r"^error status: the status is 404, not 200", text, re.MULTILINE)
    assert re.search(r"^  fix: answer 200", text, re.MULTILINE)
    assert re.search(r"^1 error, 0 warnings, 0 notes; \d+ passed, \d+ not decided$", text, re.MULTILINE)
    assert "\x1b" not in text
    coloured = sse.run("check", "--color", "always", server.url).out.decode()
    assert "\x1b[31merror\x1b[0m \x1b[1mstatus\x1b[0m" in coloured


def test_text_of_the_server_cannot_control_the_terminal(sse, origin):
    def handler(c):
        c.head()
        c.chunk("\x9b31m: 1\n\x1b]0;x: 2\ndata: 1\n\n".encode())
        c.end()

    for output in ("text", "github", "junit"):
        out = sse.run("check", "--single", "-o", output, origin(handler).url).out
        assert b"\x1b" not in out and b"fields" in out


def test_the_json_report_is_what_the_schema_says(sse, origin):
    schema = json.loads((ROOT / "man/sse-check.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for handler in (lambda c: c.answer("404 Not Found"), lambda c: None):
        jsonschema.validate(report(sse, origin(handler).url, "-t", "2s")[2], schema)


def test_the_junit_report_has_a_test_case_for_each_check(sse, origin):
    server = origin(lambda c: c.answer("404 Not <Found> & \"gone\""))
    done = sse.run("check", "-o", "junit", server.url)
    suite = ET.fromstring(done.out).find("testsuite")
    cases = {case.get("name"): case for case in suite}
    assert done.status == 1 and int(suite.get("tests")) == len(cases) and int(suite.get("failures")) == 1
    checks = json.loads(sse.run("check", "--explain", "all", "-o", "json").out)
    assert set(cases) == {check["id"] for check in checks}
    assert cases["status"].find("failure").get("message").startswith("the status is 404")
    assert cases["no-head"].find("failure") is None


def test_the_github_report_is_a_line_for_each_finding(sse, origin):
    server = origin(lambda c: c.answer("404 Not Found"))
    out = sse.run("check", "-o", "github", server.url).out.decode().splitlines()
    assert len(out) == 1 and out[0].startswith("::error title=sse check status::http://") and "%0Afix: " in out[0]


@pytest.mark.parametrize("args, status", [
    ([], 1), (["--ignore", "status"], 0), (["--severity", "status=warn"], 0),
    (["--severity", "status=warn", "--fail-on", "warn"], 1), (["--ignore", "status", "--require", "no-head"], 0),
    (["--ignore", "status", "--require", "resume-ignored"], 1), (["--ignore", "status", "--require", "resume,cors"], 1)],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_what_fails_is_chosen(sse, origin, args, status):
    server = origin(lambda c: c.answer("404 Not Found"))
    assert sse.run("check", *args, server.url).status == status


@pytest.mark.parametrize("args, error", [
    (["--require", "resum"], '--require "resum" is not the ID of a check'),
    (["--ignore", "no-ids,nothing"], '--ignore "nothing" is not the ID of a check'),
    (["--severity", "no-ids"], '--severity "no-ids" is not ID=error, ID=warn or ID=note'),
    (["--severity", "x=note"], '--severity "x" is not the ID of a check'),
    (["--fix", "abc"], '--fix "abc" is not a server for which there are remedies'),
    (["--explain", "abc"], '--explain "abc" is not the ID of a check'),
    (["--trigger", "true"], "--trigger contains no %s, which is replaced by the text to wait for"),
    (["--origin", "ftp://h"], '--origin: "ftp://h" is not a URL'),
    (["--direct", ""], "--direct: the value is empty")], ids=lambda v: v if isinstance(v, str) else "")
def test_usage_errors_come_before_any_request(sse, args, error):
    done = sse.run("check", *args, "http://127.0.0.1:1/")
    assert done.status == 2 and done.err.splitlines()[0].startswith(f"sse: error: {error}"), done.err
    assert done.err.splitlines()[1].startswith("sse: hint: ")


def test_its_hints_name_options_that_it_has(sse, origin):
    """It has no -v."""
    server = origin(lambda c: c.send("HTTP/1.1 200 O\x1bK\r\n\r\n"))
    done = sse.run("check", server.url)
    assert done.status == 56
    assert done.err.splitlines()[1] == "sse: hint: try the URL with sse tail -v, which shows each step"


def test_a_server_that_cannot_be_reached_is_no_finding(sse, origin):
    closed = origin(lambda c: None)
    closed.stop_listening()
    no_http = origin(lambda c: c.send("220 mail.example ESMTP\r\n"))
    for url, status in ((closed.url, 7), ("http://no-such-host.invalid/", 6), (no_http.url, 56)):
        done = sse.run("check", url)
        assert (done.status, done.out) == (status, b"") and len(done.err.splitlines()) == 2, done.err


def test_a_request_that_is_no_get_is_made_once(sse, origin):
    def handler(c):
        c.head()
        c.chunk("data: 1\n\ndata: [DONE]\n\n")
        c.end()

    for args in (["--json", "{}"], ["-X", "POST"], ["--single"]):
        server = origin(handler)
        status, _, whole = report(sse, *args, server.url)
        assert len(server.requests) == 1 and [p["name"] for p in whole["probes"]] == ["main"]
        assert whole["events"] == 2 and status == 0


def test_a_long_watch_lasts_its_whole_time(sse, origin, beat):
    status, found, whole = report(sse, "--long=4s", origin(beat.good()).url)
    assert (status, serious(found)) == (0, set()) and whole["seconds"] >= 4, whole
    refused = sse.run("check", "--long=soon", "http://127.0.0.1:1/")
    assert refused.status == 2 and refused.err.startswith('sse: error: --long: "soon" is not a duration'), refused.err


def test_a_required_finding_is_an_error(sse, origin, beat):
    server = origin(without_resume(beat))
    for args, severity in ((["--require", "resume"], "error"), (["--require", "resume", "--severity", "resume=note"], "note")):
        status, found, whole = report(sse, "-t", "8s", *args, server.url)
        assert (status, found["resume-ignored"]) == (1, severity), whole


def test_a_server_without_tls_cannot_be_checked_over_tls(sse):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        checking = sse.start("check", f"https://127.0.0.1:{listener.getsockname()[1]}/")
        for _ in range(2):  # for its certificate, and for the stream
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        assert checking.wait() == 35, checking.err


def test_an_end_that_was_announced_is_only_a_warning(sse, origin):
    def handler(c):
        c.head("200 OK", "Cache-Control: no-store")
        c.chunk("id: 1\ndata: 1\n\nid: 2\ndata: [DONE]\n\n")
        c.end()

    status, found, whole = report(sse, origin(handler).url)
    assert (status, found["ends-and-repeats"]) == (0, "warn"), whole


def test_no_more_connections_than_allowed(sse, origin, beat):
    server = origin(beat.good())
    for limit in (1, 2):
        _, _, whole = report(sse, "--max-connections", limit, "-t", "3s", server.url)
        probes = whole["probes"]
        assert len(probes) >= limit
        for one in probes:
            assert sum(p["started"] <= one["started"] < p["ended"] for p in probes) <= limit, probes


@pytest.mark.parametrize("how", ["publish", "trigger"])
def test_an_event_that_is_sent_on_request_decides_a_quiet_stream(sse, how):
    server = sse.serve("--publish", "--on-eof", "hold")
    value = server.url if how == "publish" else f"curl -sf -o /dev/null -d %s {server.url}"
    status, found, whole = report(sse, f"--{how}", value, server.url, "-t", "20s")
    assert "trigger-late" in whole["passed"] + list(found), whole
    assert found.get("trigger-late") in (None, "note") or "arrived" in json.dumps(whole["findings"])


def test_an_event_that_cannot_be_sent_leaves_it_open(sse):
    server = sse.serve("--on-eof", "hold")
    for how, value, why in (("trigger", "exit 3; %s", "exited with status 3"), ("publish", server.url, "with status 405")):
        _, _, whole = report(sse, f"--{how}", value, server.url, "-t", "2s")
        assert why in {u["id"]: u["why"] for u in whole["unknown"]}["trigger-late"]


def test_the_origin_shows_what_is_delayed_on_the_way(sse, origin, beat):
    good = beat.good()

    def late(c):
        c.head("200 OK", "Cache-Control: no-store")
        for number in beat.numbers(beat.now()):
            beat.wait(number + 4)
            c.chunk(beat.make(number))

    direct = origin(good)
    status, found, whole = report(sse, "--direct", direct.url, "-t", "6s", origin(late).url)
    assert found.get("held-back-direct") == "error" and status == 1, whole


def test_pages_of_another_origin(sse):
    app = "https://app.example"
    refusing = sse.serve("--allow-host", "x.example")
    _, found, whole = report(sse, "--origin", app, refusing.url, "-t", "1s")
    assert {"cors", "status"} & set(found), whole
    allowing = sse.serve("--cors", app, "--cors-credentials")
    _, found, whole = report(sse, "--origin", f"{app}/page", "--credentials", allowing.url, "-t", "2s")
    assert {"cors", "cors-preflight"} <= set(whole["passed"]), whole


def test_a_certificate_is_a_finding_and_the_rest_is_checked_all_the_same(sse, origin, beat, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key",
                    "-out", tmp_path / "cert"], check=True, capture_output=True)
    server = origin(beat.good(), tls=(tmp_path / "cert", tmp_path / "key"))
    status, found, whole = report(sse, server.url, "-t", "2s")
    assert (status, found["tls-certificate"]) == (1, "error") and whole["events"] > 0
    status, found, whole = report(sse, "--cacert", tmp_path / "cert", server.url, "-t", "2s")
    assert status == 0 and "tls-certificate" in whole["passed"]
    assert (found["tls-expiry"], found["http1-only"]) == ("warn", "warn")


def test_a_signal_ends_it(sse, origin, beat):
    server = origin(beat.good())
    checking = sse.start("check", "--long", server.url)
    server.wait_requests(2)
    checking.signal(signal.SIGINT)
    assert checking.wait() == 130


def test_each_check_is_explained(sse, origin):
    everything = json.loads(sse.run("check", "--explain", "all", "-o", "json").out)
    assert len(everything) > 40
    for check in everything[:5]:
        text = sse.run("check", "--explain", check["id"]).out.decode()
        assert text.startswith(f"{check['id']} ({check['severity']}): {check['title']}\n  Checked: ")
        assert "\n  Fix:     " in text
    assert "nginx: proxy_buffering off" in sse.run("check", "--explain", "held-back").out.decode()


def test_remedies_are_those_of_the_server(sse, origin):
    def handler(c):
        c.head("200 OK", "Server: nginx/1.22.1", "Content-Length: 9")
        c.send("data: 1\n\n")

    server = origin(handler)
    for args, name in (([], "nginx"), (["--fix", "varnish"], "varnish")):
        _, _, whole = report(sse, *args, server.url)
        remedies = next(f["remedies"] for f in whole["findings"] if f["id"] == "content-length")
        assert [r for r in remedies if r.startswith(f"{name}: ")] and len(remedies) == 3, remedies


def test_the_manual_has_the_list_of_checks(sse, tmp_path):
    subprocess.run([ROOT / "man/generate", sse.binary, tmp_path / "page"], check=True, timeout=HANG)
    assert (tmp_path / "page").read_text() == (ROOT / "man/sse-check.1").read_text(), "run man/generate build/sse"
