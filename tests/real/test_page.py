"""The page that a browser gets, in a browser."""
import json

import pytest
from support.deadline import poll
from support.wire import Answer

pytestmark = pytest.mark.release

NAVIGATE = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def page(sse, browser):
    """A page on a serve of JSON lines: `page.add(event, ...)`, `page.rows()`."""
    class Page:
        def __init__(self, *args):
            self.server = sse.serve("--input", "json", "--on-eof", "hold", *args)
            self.run = browser.run
            browser.open(self.server.url)
            self.wait_state("live")

        def add(self, *events):
            self.server.write("".join(json.dumps(e) + "\n" for e in events))

        def text(self, selector):
            return self.run(f"[...document.querySelectorAll({selector!r})].map(e => e.textContent)")

        def wait_state(self, text):
            poll(f"state {text}", lambda: text in self.text("#state"))

        def rows(self, count, part="data"):
            """Waits for so many rows that are shown; returns the text of one part of each."""
            shown = f".row:not([hidden]) .{part}"
            poll(f"{count} rows", lambda: len(self.text(shown)) == count)
            return self.text(shown)

        def press(self, button):
            self.run(f"document.getElementById({button!r}).click()")

        def filter(self, text):
            self.run(f"filter = document.getElementById('filter'); filter.value = {text!r};"
                     "filter.dispatchEvent(new Event('input'))")
    return Page


def test_all_event_types_are_shown_with_id_and_gap(page):
    shown = page()
    shown.add({"data": "one"}, {"event": "delta", "id": "7", "data": "two"},
              {"event": "error", "data": "three"}, {"comment": " hello", "data": "four"})
    assert shown.rows(4) == ["one", "two", "three", "four"]
    assert shown.rows(4, "type") == ["message", "delta", "error", "message"]
    ids = shown.rows(4, "id")
    assert ids[1] == "7" and all(ids)
    gaps = shown.rows(4, "gap")
    assert gaps[0] == "" and all(g.startswith("+") for g in gaps[1:])
    assert shown.text(".note") == [": hello"]
    assert shown.text("#counts") == ["4 events"]


XSS = "<img src=x onerror=\"window.hit=1\"><script>window.hit=1</script>"


def test_what_comes_from_the_stream_never_becomes_markup(page):
    shown = page()
    shown.add({"event": XSS, "id": XSS, "data": XSS, "comment": XSS},
              {"data": {XSS: [XSS]}}, {"data": "</script>" + XSS})
    assert shown.rows(3)[0] == XSS
    shown.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    poll("the tree", lambda: shown.text(".leaf") or shown.run(
        "document.querySelectorAll('details').forEach(d => d.open = true)"))
    assert XSS.replace('"', '\\"') in shown.text(".leaf")[0]
    assert shown.rows(3, "type")[0] == XSS and shown.rows(3, "id")[0] == XSS
    assert shown.run("document.querySelectorAll('main img, main script').length") == 0
    assert shown.run("window.hit") is None
    # and the page's own policy would have stopped it
    assert "rusted" in shown.run("try { document.body.innerHTML = '<b>x</b>'; 'allowed' }"
                                 " catch (e) { String(e) }")


def test_colours_for_a_terminal_are_shown_and_other_sequences_left_out(page):
    shown = page()
    shown.add({"data": "\x1b[1;31mred\x1b[0m plain \x1b[38;5;200mx\x1b[2K\x1b]0;title\x07y\x1b[92mz"})
    assert shown.rows(1) == ["red plain xyz"]
    assert shown.text(".data .c1") == ["red"] and shown.text(".data .c2") == ["z"]


def test_json_is_a_tree_with_its_digits_unchanged(page):
    shown = page()
    shown.server.write('{"data":{"big": 12345678901234567890123, "cost": 1.50, "e": 1e400,'
                       ' "text": "a\\u0041\\n", "deep": {"list": [1, [], {}, null]}}}\n')
    shown.add({"data": "{not json"}, {"data": "[1,2"}, {"data": "[01]"}, {"data": "12.50"})
    assert shown.rows(5)[1:] == ["{not json", "[1,2", "[01]", "12.50"]
    assert shown.run("document.querySelectorAll('.row details').length") == 1
    while shown.run("document.querySelectorAll('details:not([open])').length"):
        before = shown.run("document.querySelectorAll('details, .leaf').length")
        shown.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        poll("the next level", lambda: shown.run("document.querySelectorAll('details, .leaf').length") > before
             or not shown.run("document.querySelectorAll('details:not([open])').length"))
    poll("all leaves", lambda: len(shown.text(".leaf")) >= 6)
    leaves = shown.text(".leaf")
    assert leaves[:3] == ['"big": 12345678901234567890123', '"cost": 1.50', '"e": 1e400']
    assert '"text": "a\\u0041\\n"' in leaves and "1" in leaves and "null" in leaves


def test_filter_pause_and_clear(page):
    shown = page()
    shown.add(*({"event": "odd" if n % 2 else "even", "data": f"n{n}"} for n in range(10)))
    shown.rows(10)
    shown.filter("ODD")
    assert shown.rows(5) == [f"n{n}" for n in range(1, 10, 2)]
    assert shown.text("#counts") == ["10 events, 5 match"]
    shown.add({"event": "even", "data": "more"}, {"event": "odd", "data": "n11"})
    assert shown.rows(6)[-1] == "n11"
    shown.filter("")
    shown.rows(12)
    shown.press("pause")
    shown.add({"data": "held"})
    poll("it is held back", lambda: shown.text("#counts") == ["13 events, 1 held back"])
    shown.rows(12)
    shown.press("pause")
    assert shown.rows(13)[-1] == "held"
    shown.press("clear")
    shown.rows(0)
    shown.add({"data": "after"})
    assert shown.rows(1) == ["after"]


def test_the_list_is_bounded_and_says_so(page):
    shown = page()
    shown.add(*({"data": str(n)} for n in range(5000)))
    poll("all are counted", lambda: shown.text("#counts") == ["5,000 events"])
    rows = shown.rows(2000)
    assert (rows[0], rows[-1]) == ("3000", "4999")
    assert shown.text("#dropped")[0].startswith("3,000 older events are not shown")
    # and the newest is in sight
    poll("it follows", lambda: shown.run(
        "Math.abs(innerHeight + scrollY - document.documentElement.scrollHeight) < 3"), 30)


def test_it_goes_on_after_a_cut_without_loss_and_ends_when_told(sse, browser, proxy):
    server = sse.serve("--on-eof", "hold", "--retry", "100ms")
    between = proxy(int(server.url.rsplit(":", 1)[1].strip("/")))
    browser.open(between.url)
    texts = "[...document.querySelectorAll('.row .data')].map(e => e.textContent)"
    state = "document.getElementById('state')?.textContent"
    server.write("1\n2\n")
    poll("two rows", lambda: browser.run(texts) == ["1", "2"])
    between.kill()
    poll("the loss is told", lambda: "reconnecting in" in browser.run(state))
    server.write("3\n4\n")
    between.start()
    poll("all rows, once each", lambda: browser.run(texts) == ["1", "2", "3", "4"])
    assert browser.run(state) == "live"
    server.close_stdin()
    poll("the end is told", lambda: browser.run(state) == "the stream has ended")


def test_a_refusal_is_told(page, sse, browser):
    shown = page("--path", "/here")
    shown.run("history.replaceState(null, '', '/elsewhere'); run(); 0")
    shown.wait_state("refused")
    poll("the reason", lambda: any("404" in note for note in shown.text(".note.bad")))


@pytest.mark.parametrize("headers,is_page", [(NAVIGATE, True), ({"Accept": "*/*"}, False), ({}, False),
                                             ({"Accept": "text/event-stream"}, False)])
def test_who_gets_the_page_and_its_head(sse, wire, headers, is_page):
    server = sse.serve(input=b"a\n")
    answer = wire.get(server.url, headers=headers)
    assert answer.status == 200
    assert "Accept" in answer.header("Vary")
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert "no-store" in answer.header("Cache-Control")
    if not is_page:
        assert answer.header("Content-Type") == "text/event-stream; charset=utf-8"
        return
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    policy = answer.header("Content-Security-Policy")
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert len(answer.read_all()) < 25 * 1024
    head = wire.request(server.url, "HEAD", headers=headers)
    assert head.header("Content-Type") == "text/html; charset=utf-8"


def test_a_page_that_was_only_looked_at_is_no_client_that_was_served(sse, wire):
    server = sse.serve(input=b"a\n")
    wire.get(server.url, headers=NAVIGATE).read_all()
    stream = wire.get(server.url)  # it is still there for one who reads
    assert isinstance(stream, Answer) and [e.data for e in stream.events()] == ["a"]
    stream.close()
    assert server.wait() == 0
