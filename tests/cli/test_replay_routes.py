"""sse replay with several recordings: a mock server."""
import pytest

from support.recording import recorded, recording

API = "https://api.example/v1/chat"


def say(path, text, *request, **more):
    return recording(path, {"t": 0, "data": text}, head=recorded(*request, **more))


@pytest.fixture
def mock(sse, tmp_path):
    """Serves what `say` has written into a directory."""
    def serve(*flags):
        return sse.replay(tmp_path, *flags)
    return serve


def data(answer):
    return [event.data for event in answer.events()]


def test_recordings_are_told_by_method_and_path(mock, wire, tmp_path):
    say(tmp_path / "a.jsonl", "chat", "POST", API)
    say(tmp_path / "deep/er/b.jsonl", "feed", "GET", "http://x/feed%20me?since=1")
    recording(tmp_path / "plain.jsonl", {"t": 0, "data": "no url"})
    (tmp_path / "notes.txt").write_text("not a recording")
    server = mock()
    assert data(wire.request(server.url + "v1/chat", "POST", body=b"{}")) == ["chat"]
    assert data(wire.get(server.url + "feed%20me?since=2")) == ["feed"]
    assert data(wire.get(server.url + "plain")) == ["no url"]
    missing = wire.get(server.url + "nope")
    assert missing.status == 404
    assert missing.read_all() == b"no recording of this request; recorded requests:\n" \
                                 b"POST /v1/chat\nGET /feed me?since=1\nGET /plain\n"
    refused = wire.get(server.url + "v1/chat")
    assert (refused.status, refused.header("allow")) == (405, "POST")
    assert wire.request(server.url + "plain", "POST", body=b"x").header("allow") == "GET, HEAD"


def test_the_query_counts_where_recordings_differ_by_it(mock, wire, tmp_path):
    say(tmp_path / "1.jsonl", "cats", "GET", "http://x/s?q=cats&key=***")
    say(tmp_path / "2.jsonl", "dogs", "GET", "http://x/s?q=dogs&key=***")
    server = mock()
    assert data(wire.get(server.url + "s?key=secret&q=dogs")) == ["dogs"]
    assert data(wire.get(server.url + "s?q=cats&key=")) == ["cats"]
    assert wire.get(server.url + "s?q=birds&key=1").status == 404


@pytest.mark.parametrize("flags, given", [((), ["1", "2", "3", "3", "3"]), (("--repeat", "cycle"), ["1", "2", "3", "1", "2"])])
def test_recordings_of_one_route_are_given_in_turn(mock, wire, tmp_path, flags, given):
    for name in "123":
        say(tmp_path / f"{name}.jsonl", name, "POST", API)
    server = mock(*flags)
    assert [data(wire.request(server.url + "v1/chat", "POST", body=b""))[0] for _ in given] == given


def test_one_that_resumes_gets_its_own_again(mock, wire, tmp_path):
    for name in "12":
        recording(tmp_path / f"{name}.jsonl", {"t": 0, "id": "a", "data": "first"}, {"t": 0, "data": name},
                  head=recorded("GET", "http://x/s"))
    server = mock()
    assert data(wire.get(server.url + "s")) == ["first", "1"]
    assert data(wire.get(server.url + "s", headers={"Last-Event-ID": "a"})) == ["1"]
    assert data(wire.get(server.url + "s")) == ["first", "2"]


BODIES = [(b'{"b":[1,2],"a":"\\u00e9"}', "one"), ('{ "a": "\u00e9", "b": [1.0, 2] }'.encode(), "one"),
          (b'{"a":2}', "two"), (b"text", "three"), (b'{"a":3}', "any"), (b"", "any")]


def test_numbers_of_a_body_are_compared_exactly(mock, wire, tmp_path):
    say(tmp_path / "1.jsonl", "even", "POST", API, body='{"id":9007199254740992}')
    say(tmp_path / "2.jsonl", "odd", "POST", API, body='{"id":9007199254740993}')
    assert data(wire.request(mock("--match-body").url + "v1/chat", "POST", body=b'{"id":9007199254740993}')) == ["odd"]


@pytest.mark.parametrize("body, text", BODIES)
def test_the_recorded_body_chooses(mock, wire, tmp_path, body, text):
    say(tmp_path / "0.jsonl", "any", "POST", API)
    say(tmp_path / "1.jsonl", "one", "POST", API, body='{"a":"\u00e9","b":[1,2]}')
    say(tmp_path / "2.jsonl", "two", "POST", API, body='{"a":2}')
    say(tmp_path / "3.jsonl", "three", "POST", API, body="text")
    assert data(wire.request(mock("--match-body").url + "v1/chat", "POST", body=body)) == [text]


def test_without_one_for_any_body_another_is_not_found(mock, wire, tmp_path):
    say(tmp_path / "1.jsonl", "one", "POST", API, body='{"a":1}')
    answer = wire.request(mock("--match-body").url + "v1/chat", "POST", body=b'{"a":2}')
    assert answer.status == 404
    said = ("nearest is 1.jsonl: at /a: recorded 1, requested 2\n"
            "POST /v1/chat is recorded, but not with this body; recorded requests:\nPOST /v1/chat")
    assert answer.read_all().decode().startswith(said)


def test_without_one_of_the_query_it_is_said_to_be_the_query(mock, wire, tmp_path):
    for n in "12":
        say(tmp_path / f"{n}.jsonl", n, "GET", f"http://x/s?n={n}")
    answer = wire.get(mock().url + "s?n=3")
    assert answer.status == 404
    said = 'nearest is 1.jsonl: query recorded "n=1", requested "n=3"\n' \
           "GET /s is recorded, but not with this query; recorded requests:\nGET /s?n=1\nGET /s?n=2\n"
    assert answer.read_all().decode() == said


def test_a_bad_recording_among_them_is_named(sse, tmp_path):
    say(tmp_path / "1.jsonl", "one", "POST", API)
    (tmp_path / "2.jsonl").write_text("hello\n")
    ran = sse.run("replay", tmp_path)
    assert ran.status == 3
    assert ran.err.startswith(f"sse: error: {tmp_path}/2.jsonl:1: not a recording")
