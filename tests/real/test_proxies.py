"""Reverse proxies in front of `sse serve`, with the configurations of man/examples: each passes the
head and every event at once, resumes, and tells a stream that ended from one that broke."""
import pytest
from support.manual import MAN, plain
from support.proxies import EXAMPLES, FILES, NAMES, ReverseProxy, program

pytestmark = pytest.mark.release
HOST = {"Host": "events.example"}


@pytest.mark.parametrize("name", NAMES)
def test_the_manual_shows_the_configuration_that_is_tested(name):
    page = plain((MAN / "sse-serve.1").read_text(encoding="utf-8"))
    text = (EXAMPLES / FILES[name]).read_text(encoding="utf-8")
    assert f".Bd -literal -offset indent\n{text}.Ed\n" in page


@pytest.fixture(params=NAMES)
def fronted(request, sse):
    """Starts a server and the proxy in front of it: `server, proxy = fronted(*options)`. Nothing but
    events is sent, so that nothing else can push out what a proxy holds back."""
    if not program(request.param):
        pytest.skip(f"{request.param} is not installed")
    made = []

    def make(*options, **more):
        server = sse.serve("--allow-host", "events.example", "--keepalive", "1h", *options, **more)
        made.append(ReverseProxy(request.param, int(server.url.rstrip("/").rpartition(":")[2])))
        return server, made[-1]

    yield make
    for each in made:
        each.close()


def test_each_event_passes_at_once(fronted, wire):
    """The next event is written only once the one before has come through."""
    server, proxy = fronted()
    server.write("0\n")
    answer = wire.get(proxy.url, headers=HOST)
    assert answer.status == 200 and answer.header("content-type").startswith("text/event-stream"), proxy.log()
    for n in range(1, 20):
        answer.events(n)
        server.write(f"{n}\n")
    server.close_stdin()
    assert [event.data for event in answer.events()] == [str(n) for n in range(20)]
    assert answer.ended and server.wait() == 0


def test_the_head_of_an_idle_stream_passes_at_once(fronted, wire):
    server, proxy = fronted()
    answer = wire.get(proxy.url, headers=HOST)
    assert answer.status == 200, proxy.log()
    server.write("first\n")
    assert answer.events(1)[0].data == "first"


def test_the_head_of_an_idle_stream_passes_at_once_where_it_may_be_compressed(fronted, wire):
    """A proxy that compresses sends the head on with the first bytes behind it."""
    _, proxy = fronted()
    answer = wire.get(proxy.url, headers={**HOST, "Accept-Encoding": "gzip"})
    assert answer.status == 200, proxy.log()


def test_a_client_resumes_after_the_last_event_it_received(fronted, wire):
    server, proxy = fronted("--on-eof", "hold", input=b"a\nb\nc\n")
    first = wire.get(proxy.url, headers=HOST)
    events = first.events(2)
    first.close()
    second = wire.get(proxy.url, headers={**HOST, "Last-Event-ID": events[0].id})
    assert [event.data for event in second.events(2)] == ["b", "c"]


def test_a_client_that_has_everything_is_told_so(fronted, wire):
    server, proxy = fronted("--on-eof", "hold", input=b"a\n")
    last = wire.get(proxy.url, headers=HOST).events(1)[0].id
    assert wire.get(proxy.url, headers={**HOST, "Last-Event-ID": last}).status == 204
