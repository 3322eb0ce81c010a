"""sse tail and nginx's nchan: its ids, and going on after them."""
import json
import urllib.request

import pytest

pytestmark = pytest.mark.release

NCHAN = """
    location /pub {
        nchan_publisher;
        nchan_channel_id test;
    }
    location /sub {
        nchan_subscriber eventsource;
        nchan_channel_id test;
        nchan_subscriber_first_message oldest;
    }
    location /new {
        nchan_subscriber eventsource;
        nchan_channel_id test;
        nchan_subscriber_first_message newest;
        nchan_eventsource_ping_interval 1;
    }
"""


def publish(server, text, event=None):
    headers = {"X-EventSource-Event": event} if event else {}
    urllib.request.urlopen(urllib.request.Request(server.url + "pub", text.encode(), headers)).read()


def test_it_goes_on_where_it_was_ended(sse, nginx, tmp_path):
    server, state = nginx(NCHAN), tmp_path / "state"
    for n in range(5):
        publish(server, f"message {n}", "odd" if n % 2 else None)
    args = ["tail", server.url + "sub", "--state", state, "-o", "json"]
    first = sse.run(*args, "-n", "2")
    assert first.status == 0, first.err
    events = [json.loads(line) for line in first.out.splitlines()]
    assert [(e["event"], e["data"]) for e in events] == [("message", "message 0"), ("odd", "message 1")]
    assert json.loads(state.read_text())["last_event_id"] == events[1]["id"] != events[0]["id"]
    second = sse.run(*args, "-n", "3")
    assert [json.loads(line)["data"] for line in second.out.splitlines()] == ["message 2", "message 3", "message 4"]


def test_a_message_is_out_as_it_comes_and_pings_are_life(sse, nginx):
    server = nginx(NCHAN)
    tail = sse.start("tail", server.url + "new", "-v", "--idle-timeout", "10s")
    tail.stderr.wait_for("stream open")
    for n in range(3):
        publish(server, f"line {n}\nand more")
        tail.stdout.wait_for(f"^line {n}\nand more$")
    tail.signal(15)
    assert tail.wait() == 143


def test_a_killed_nginx_is_waited_for(sse, nginx, proxy):
    server = nginx(NCHAN)
    between = proxy(int(server.url.rstrip("/").rsplit(":", 1)[1]))
    for n in range(3):
        publish(server, f"{n}")
    tail = sse.start("tail", between.url + "sub", "--retry", "100ms")
    tail.stdout.wait_for(r"\A0\n1\n2\n\Z")
    between.kill()
    for n in range(3, 6):
        publish(server, f"{n}")
    between.start()
    tail.stdout.wait_for(r"\A0\n1\n2\n3\n4\n5\n\Z")
    tail.signal(15)
    assert tail.wait() == 143
