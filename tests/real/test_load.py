"""sse bench on servers that are not ours, and what others read of its reports."""
import base64
import json
import os
import subprocess

import pytest
from support.npm import install

pytestmark = pytest.mark.release

NCHAN = """
    location /pub { nchan_publisher; nchan_channel_id x; nchan_message_buffer_length 1000; }
    location /sub { nchan_subscriber eventsource; nchan_channel_id x; nchan_subscriber_first_message newest; }
"""
BETTER_SSE = """
import http from 'node:http';
import {createChannel, createSession} from 'better-sse';
const channel = createChannel();
let n = 0;
setInterval(() => channel.broadcast({ts: Date.now(), n: ++n}, 'tick', {eventId: String(n)}), 20);
http.createServer(async (request, response) => channel.register(await createSession(request, response)))
    .listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); });
"""
NODE = """
import http from 'node:http';
const clients = new Set();
let n = 0;
setInterval(() => {
    const block = `data: ${JSON.stringify({ts: Date.now() / 1000, n: ++n})}\\n\\n`;
    for (const c of clients) c.write(block);
}, 20);
http.createServer((request, response) => {
    response.writeHead(200, {'Content-Type': 'text/event-stream'});
    response.write(`event: welcome\\ndata: ${Math.random()}\\n\\n`);
    clients.add(response);
    response.on('close', () => clients.delete(response));
}).listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); });
"""
SHORT = ["-c", "20", "--connect-rate", "10000", "--warm-up", "200ms", "-t", "1s", "-o", "json"]


def found(done):
    assert done.status == 0, done.err
    return json.loads(done.out)


def on_node(sse, folder, script):
    file = folder / f"bench-{os.getpid()}.mjs"
    file.write_text(script, encoding="utf-8")
    server = sse.start_program("node", file, cwd=folder)
    port = server.stdout.wait_for(r"^port (\d+)$")[1]
    return f"http://127.0.0.1:{port}/"


def test_nchan_is_published_to_and_measured(sse, nginx):
    server = nginx(NCHAN)
    report = found(sse.run("bench", *SHORT, "--publish", server.url + "pub", "--rate", "50", server.url + "sub"))
    assert report["opened"] == 20 and report["lost"] == report["duplicates"] == report["disordered"] == 0
    assert report["publish"]["accepted"] > 0 and report["delivery"]["count"] >= 20 and report["keyed_by"] == "id"


def test_better_sse_with_ids_and_a_time_in_the_data(sse, tmp_path_factory):
    url = on_node(sse, install(tmp_path_factory.mktemp("npm"), "better-sse"), BETTER_SSE)
    report = found(sse.run("bench", *SHORT, "--time-pointer", "/ts", url))
    assert report["opened"] == 20 and report["lost"] == report["duplicates"] == report["disordered"] == 0
    assert report["delivery"]["count"] > 0 and report["keyed_by"] == "id"


def test_node_without_ids_and_with_a_greeting(sse, tmp_path):
    report = found(sse.run("bench", *SHORT, "--time-regex", r'"ts":([\d.]+)', on_node(sse, tmp_path, NODE)))
    assert report["opened"] == 20 and report["lost"] == report["duplicates"] == 0 and report["keyed_by"] == "data"
    assert report["delivery"]["count"] > 0


def test_the_histograms_are_read_by_hdr_histogram_js(sse, tmp_path_factory, tmp_path):
    folder = install(tmp_path_factory.mktemp("npm"), "hdr-histogram-js")
    log = tmp_path / "times.hlog"
    server = sse.serve("--publish", "--on-eof", "hold")
    report = found(sse.run("bench", *SHORT, "--publish", server.url, "--rate", "50", "--histogram", log, server.url))
    file = folder / f"read-{os.getpid()}.mjs"
    file.write_text("""
        import {readFileSync} from 'node:fs';
        import hdr from 'hdr-histogram-js';
        const reader = new hdr.HistogramLogReader(readFileSync(process.argv[2], 'utf8'));
        const out = {};
        for (let h; (h = reader.nextIntervalHistogram()); )
            out[h.tag] = {count: h.totalCount, p50: h.getValueAtPercentile(50), max: h.maxValue};
        console.log(JSON.stringify(out));
    """, encoding="utf-8")
    done = subprocess.run(["node", file, log], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    for name in ("connect", "head", "first_event", "delivery", "skew", "behind"):
        assert read[name]["count"] == report[name]["count"] > 0, name
        for value in ("p50", "max"):
            assert read[name][value] == pytest.approx(report[name][value] * 1e9, rel=0.002), (name, value)


def test_the_page_shows_the_report_without_a_network(sse, browser, tmp_path):
    server = sse.serve("--publish", "--on-eof", "hold")
    page = tmp_path / "report.html"
    report = found(sse.run("bench", *SHORT, "-t", "1500ms", "--interval", "100ms", "--storm", "700ms", "--publish",
                           server.url, "--rate", "100", "--html", page, server.url + "?x=</script><b>"))
    assert "http://www.w3.org" in page.read_text() and page.read_text().count("</script>") == 2
    for scheme in ("light", "dark"):
        browser.open("about:blank")
        browser.call("Network.enable")
        browser.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1,
                     uploadThroughput=-1)
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.call("Page.navigate", url=page.as_uri())
        assert browser.run("new Promise(done => document.readyState == 'complete' && document.querySelector('svg') ?"
                           " done(true) : addEventListener('load', () => done(true)))")
        shown = browser.run("document.body.innerText")
        assert report["urls"][0] in shown and "storm" in shown and "NaN" not in shown
        assert browser.run("document.querySelectorAll('svg').length") == 3
        assert browser.run("[...document.querySelectorAll('polyline')].every(l => !l.getAttribute('points').includes('NaN'))")
        assert browser.run("document.querySelectorAll('.mark').length") == 2
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
        if folder := os.environ.get("SSE_SCREENSHOTS"):
            shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
            with open(os.path.join(folder, f"bench-{scheme}.png"), "wb") as file:
                file.write(base64.b64decode(shot))
