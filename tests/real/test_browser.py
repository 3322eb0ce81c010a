"""Other people's clients read `sse serve`: a browser's EventSource, npm's, and curl. Each is cut off
without a goodbye and goes on by itself."""
import json
import re

import pytest
from support.deadline import poll

pytestmark = pytest.mark.release
FIRST, WHILE_GONE, LAST = range(1, 501), range(501, 1001), range(1001, 1501)

PAGE = """
    window.seen = []; window.opened = 0;
    window.stream = new EventSource('/');
    stream.onopen = () => { ++opened; };
    stream.onmessage = (e) => { seen.push([e.data, e.lastEventId]); };
"""

NODE = """
    const EventSource = require('eventsource');
    const stream = new EventSource(process.argv[1]);
    stream.onopen = () => console.log('open');
    stream.onmessage = (e) => console.log(JSON.stringify([e.data, e.lastEventId]));
"""


def lines(numbers):
    return b"".join(b"%d\n" % n for n in numbers)


def port(server):
    return int(re.search(r":(\d+)/", server.url)[1])


def all_of_them():
    return [str(n) for numbers in (FIRST, WHILE_GONE, LAST) for n in numbers]


def test_a_browser_that_is_cut_off_resumes_without_loss_and_is_told_when_to_stop(sse, browser, proxy):
    server = sse.serve("--on-eof", "hold", "--retry", "100ms")
    between = proxy(port(server))
    browser.open(between.url + "no-such-page")  # of the stream's own origin
    poll("the page", lambda: browser.run("document.readyState") == "complete")
    browser.run(PAGE)
    server.write(lines(FIRST))
    poll("some events", lambda: browser.run("seen.length") >= 100)
    between.kill()
    poll("the loss to be noticed", lambda: browser.run("stream.readyState") == 0)
    server.write(lines(WHILE_GONE))
    between.start()
    poll("the second connection", lambda: browser.run("opened") == 2)
    server.write(lines(LAST))
    poll("the last event", lambda: browser.run("seen.length") >= 1500)
    server.close_stdin()
    poll("the end", lambda: browser.run("stream.readyState") == 2, 30)  # 204 says: no more
    seen = browser.run("seen")
    assert [data for data, _ in seen] == all_of_them()
    assert len({event_id for _, event_id in seen}) == len(seen)


def test_eventsource_of_npm_that_is_cut_off_resumes_without_loss(sse, proxy):
    server = sse.serve("--on-eof", "hold", "--retry", "100ms")
    between = proxy(port(server))
    client = sse.start_program("node", "-e", NODE, between.url,
                               env={"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"})
    server.write(lines(FIRST))
    client.stdout.wait("some events", lambda b: b.count(b"\n") > 100)
    between.kill()
    server.write(lines(WHILE_GONE))
    between.start()
    client.stdout.wait("the second connection", lambda b: b.count(b"open\n") == 2)
    server.write(lines(LAST))
    client.stdout.wait("the last event", lambda b: b'["1500"' in b)
    server.close_stdin()
    assert client.wait() == 0  # 204 says: no more; it has nothing else to do
    said = client.stdout.text().splitlines()
    seen = [json.loads(line) for line in said if line.startswith("[")]
    assert [data for data, _ in seen] == all_of_them()


@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_curl_reads_each_event_as_it_comes(sse, version):
    server = sse.serve()
    curl = sse.start_program("curl", "-sSN", version, "-H", "Accept: text/event-stream", server.url)
    for n in range(1, 4):
        server.write(lines([n]))
        curl.stdout.wait_for(rf"^data: {n}\nid: .*\n\n")
    server.close_stdin()
    assert curl.wait() == 0 and curl.stderr.text() == ""
    assert re.findall(r"^data: (.*)$", curl.stdout.text(), re.MULTILINE) == ["1", "2", "3"]
    assert server.wait() == 0
