"""Clients that reconnect, behind a proxy that cuts, stalls and forwards single bytes: none of 20,000 events is lost,
none comes twice, and their order stays, through 200 cuts for each client."""
import json
import random
from collections import Counter
from urllib.parse import urlsplit

import pytest
from support.chaos import Chaos
from support.deadline import poll
from support.npm import install

pytestmark = pytest.mark.release
EVENTS, CUTS = 20_000, 200
LAST = "last"
PACKAGES = ("eventsource@4.1.1", "undici@7.30.2", "@microsoft/fetch-event-source@2.0.1", "eventsource-client@1.2.0",
            "event-source-polyfill@1.0.31", "extended-eventsource@2.1.0", "eventsource2@npm:eventsource@2.0.2")

NODE = """
    const url = process.argv[2], seen = [];
    setInterval(() => {}, 1e6);  // some let the program end while they wait
    function take(data) {
        seen.push(data);
        if (data === 'last') process.stdout.write(JSON.stringify(seen), () => process.exit(0));
    }
"""

# How each is told to call take() with the data of an event. Those that end with the stream or with an error are
# told to connect again, as their documents say.
CLIENTS = {
    "eventsource": """
        const {EventSource} = await import('eventsource');
        new EventSource(url).onmessage = event => take(event.data);
    """,
    "undici": """
        const {EventSource} = await import('undici');
        new EventSource(url).onmessage = event => take(event.data);
    """,
    "eventsource-client": """
        const {createEventSource} = await import('eventsource-client');
        createEventSource({url, onMessage: ({data}) => take(data)});
    """,
    # waits for 1 s at least, and twice as long after each failure
    "event-source-polyfill": """
        const wait = globalThis.setTimeout;
        globalThis.setTimeout = (f, ms) => wait(f, ms >= 1000 && ms <= 16000 ? 1 : ms);
        const {EventSourcePolyfill} = (await import('event-source-polyfill')).default;
        new EventSourcePolyfill(url, {heartbeatTimeout: 600000}).onmessage = event => take(event.data);
    """,
    "fetch-event-source": """
        globalThis.window = globalThis;
        const {fetchEventSource} = await import('@microsoft/fetch-event-source');
        await fetchEventSource(url, {openWhenHidden: true, onmessage: event => event.data && take(event.data),
                                     onclose: () => { throw new Error('ended'); }, onerror: () => 1});
    """,
    "extended-eventsource": """
        const {EventSource} = await import('extended-eventsource');
        new EventSource(url, {retry: 1, disableLogger: true}).onmessage = event => event.data && take(event.data);
    """,
    "eventsource 2": """
        const EventSource = (await import('eventsource2')).default;
        new EventSource(url).onmessage = event => take(event.data);
    """,
}

# These keep an id as soon as they have read its line (HTML 9.2.6 keeps it at the blank line), and lose the event if
# the connection is cut between the two. Since `id` is the last line of an event that takes a cut at that very byte.
LOSE_BEHIND_ID = ("fetch-event-source", "extended-eventsource")

# This one does so, too, but also keeps the data of an unfinished event (HTML 9.2.6 discards it), and dispatches it at
# the first blank line of the next connection: such events come twice, and none is lost.
REPEAT_UNFINISHED = ("eventsource 2",)

PAGE = """
    window.seen = [];
    window.stream = new EventSource('URL');
    stream.onmessage = event => { seen.push(event.data); if (event.data === 'last') stream.close(); };
"""


def data_of(n):
    """Of several lengths, some with characters of several bytes and some with several lines."""
    if n == EVENTS:
        return LAST
    return f"{n} {'né豆😀'[:n % 5] * (n % 7)}" + ("\nand\n\nmore" if n % 6 == 0 else "")


EXPECTED = [data_of(n) for n in range(1, EVENTS + 1)]


class Source:
    """What `sse serve` reads on its standard input, a few events at a time."""

    def __init__(self, server, seed):
        self._server, self._random, self._published = server, random.Random(seed), 0

    def publish(self):
        batch = EXPECTED[self._published:self._published + self._random.randint(1, 60)]
        self._published += len(batch)
        self._server.write("".join(json.dumps({"data": data}) + "\n" for data in batch))
        return sum(len(data.encode()) for data in batch)


@pytest.fixture
def chaos(sse, request):
    """A server and the proxy before it, with a seed of its own for each row. The cuts are spread over less than the
    server sends in any case, so that all of them are made."""
    server = sse.serve("--input", "json", "--history", "30000", "--retry", "1ms", "--cors", "*")
    size = sum(len(data.encode()) + len("data: \nid: 1700000000000-1\n\n") for data in EXPECTED)
    name = request.node.name
    made = Chaos(urlsplit(server.url).port, name, CUTS, int(size * 0.9), Source(server, name).publish,
                 whole_heads="browser" in request.fixturenames)
    made.server_url = server.url
    yield made
    made.close()


@pytest.fixture(scope="session")
def npm(tmp_path_factory):
    return install(tmp_path_factory.mktemp("npm-chaos"), *PACKAGES)


def wait_for_end(chaos, ended):
    """Each connection takes as long as it takes."""
    while not ended():
        before = chaos.connections
        poll("a connection or the end", lambda: chaos.connections > before or ended())


def number(data):
    return EVENTS if data == LAST else int(data.split()[0])


def without_unfinished(seen):
    """Without the beginnings of events that are followed by the same event."""
    return [data for data, behind in zip(seen, [*seen[1:], "0"])
            if number(data) != number(behind) or not EXPECTED[number(data) - 1].startswith(data)]


def check(seen, chaos, may_lose=0):
    """Lost and doubled events first: they say more than two lists that differ."""
    numbers = [number(data) for data in seen]
    lost = sorted(set(range(1, EVENTS + 1)) - set(numbers))
    doubled = [n for n, times in Counter(numbers).items() if times > 1]
    assert doubled == [] and len(lost) <= may_lose, (lost, doubled)
    assert seen == [data for n, data in enumerate(EXPECTED, 1) if n not in lost]
    assert chaos.cuts == {"FIN": CUTS / 2, "RST": CUTS / 2}
    assert chaos.stalls > 0 and chaos.single_bytes > CUTS


def test_tail_loses_nothing(sse, chaos, tmp_path):
    """It waits for 100 ms at least before it connects again."""
    state = tmp_path / "state"
    tail = sse.start("tail", chaos.url, "--state", state, "-o", "json", "--until-data", LAST, "--retry-max", "100ms")
    wait_for_end(chaos, lambda: not tail.running)
    assert tail.wait() == 0, tail.stderr.text()
    events = [json.loads(line) for line in tail.stdout.bytes.splitlines()]
    check([event["data"] for event in events], chaos)
    assert json.loads(state.read_text())["last_event_id"] == events[-1]["id"]


def test_a_tail_for_each_connection_loses_nothing(sse, chaos, tmp_path):
    """Each goes on where the state of the one before it ends."""
    state, seen = tmp_path / "state", []
    for _ in range(CUTS + 1):
        tail = sse.run("tail", chaos.url, "--state", state, "-o", "json", "--until-data", LAST, "--no-reconnect")
        seen += [json.loads(line)["data"] for line in tail.out.splitlines()]
    assert tail.status == 0, tail.err
    check(seen, chaos)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_of_npm_loses_nothing(sse, chaos, npm, client):
    """Those that lose or repeat events by a fault of their own do so at cuts alone."""
    script = npm / f"{client}.mjs"
    script.write_text(NODE + CLIENTS[client])
    node = sse.start_program("node", script, chaos.url)
    wait_for_end(chaos, lambda: not node.running)
    assert node.wait() == 0, node.stderr.text()
    seen = json.loads(node.stdout.bytes)
    if client in REPEAT_UNFINISHED:
        received, seen = len(seen), without_unfinished(seen)
        assert received - len(seen) <= CUTS
    check(seen, chaos, chaos.cuts_behind_id if client in LOSE_BEHIND_ID else 0)


def test_a_browser_loses_nothing(chaos, browser):
    """Chromium takes a head that FIN cuts for a whole one, without its Content-Type, and gives the stream up for good:
    here no FIN cuts a head."""
    browser.open(chaos.server_url + "no-such-page")
    poll("the page", lambda: browser.run("document.readyState") == "complete")
    browser.run(PAGE.replace("URL", chaos.url))
    wait_for_end(chaos, lambda: browser.run("stream.readyState") == 2)
    check(browser.run("seen"), chaos)
