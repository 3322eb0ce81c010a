"""What sse record has recorded, played by sse replay and by sse record itself: matching, order and modes."""
import json
import re

import pytest

from support.deadline import poll
from support.record import files, record
from support.recording import recorded, recording

PATH = "v1/chat"


def numbered(connection):
    """Answers each request with how many there have been."""
    connection.answer("200 OK", f"data: {len(connection.origin.requests)}\n\n", content_type="text/event-stream")


def post(wire, url, body, path=PATH):
    return wire.request(url + path, "POST", body=body if isinstance(body, bytes) else json.dumps(body).encode())


def data(answer):
    return [event.data for event in answer.events()]


@pytest.fixture
def made(sse, wire, origin, tmp_path):
    """Records a conversation, one request after the other, and returns the directory. The upstream is gone then."""
    def make(*bodies, flags=()):
        api = origin(numbered)
        proxy = record(sse, api.url, tmp_path / "d", *flags)
        for number, body in enumerate(bodies):
            post(wire, proxy.url, body).read_all()
            poll("the recording", lambda: len(files(tmp_path / "d")) == number + 1)
        proxy.end()
        api.close()
        return tmp_path / "d"
    return make


def strict(path, body, number, target=f"https://api.example/{PATH}"):
    return recording(path, {"t": 0, "data": number}, head={**recorded("POST", target, body), "exact": True})


def test_a_request_gets_the_response_that_was_recorded_for_it(sse, wire, made):
    server = sse.replay(made({"q": "a", "n": 1}, {"q": "b"}, b"text"))
    assert data(post(wire, server.url, {"q": "b"})) == ["2"]
    assert data(post(wire, server.url, b'{ "n": 1.0, "q": "\\u0061" }')) == ["1"]
    assert data(post(wire, server.url, b"text")) == ["3"]


def test_repeated_requests_get_their_responses_in_order_and_then_the_last(sse, wire, made):
    server = sse.replay(made(*[{"q": "same"}] * 11))
    assert [data(post(wire, server.url, {"q": "same"}))[0] for _ in range(13)] == [*map(str, range(1, 12)), "11", "11"]


@pytest.mark.parametrize("asked, why", [
    ({"q": {"deep/er": [1, "c"]}}, 'at /q/deep~1er/1: recorded "b", requested "c"'),
    ({"q": {"deep/er": [1]}}, 'at /q/deep~1er/1: recorded "b", requested nothing'),
    ({"q": {"deep/er": [1, "b"]}, "x": True}, "at /x: recorded nothing, requested true"),
    (b"text", r'recorded {"q":{"deep/er":[1,"b"]}}, requested text'), (b"", r"requested no body")])
def test_a_404_says_what_is_nearest_and_why_it_does_not_match(sse, wire, tmp_path, asked, why):
    strict(tmp_path / "far.jsonl", '{"other":1,"and":2,"more":3}', "far")
    strict(tmp_path / "near.jsonl", '{"q":{"deep/er":[1,"b"]}}', "near")
    answer = post(wire, sse.replay(tmp_path).url, asked)
    assert answer.status == 404
    first, *rest = answer.read_all().decode().splitlines()
    assert re.fullmatch(r"nearest is \w+\.jsonl: .*", first)
    if isinstance(asked, dict):
        assert first == f"nearest is near.jsonl: {why}"
    else:
        assert first.endswith(why.partition("requested")[2])
    assert rest[0] == "POST /v1/chat is recorded, but not with this body; recorded requests:"


@pytest.mark.parametrize("body", [b"[" * 900_000, b'{"a":' * 150_000, b"[" * 450_000 + b"]" * 450_000],
                         ids=["arrays", "objects", "closed"])
def test_a_body_of_endless_depth_matches_nothing(sse, wire, tmp_path, body):
    strict(tmp_path / "a.jsonl", '{"user":"***"}', "a")
    url = sse.replay(tmp_path, "--match-ignore", "/id").url
    assert post(wire, url, body).status == 404
    assert data(post(wire, url, {"user": "x"})) == ["a"]


def test_a_404_names_the_nearest_path_or_query(sse, wire, tmp_path):
    strict(tmp_path / "a.jsonl", "{}", "1", "https://h/v1/chat/completions?x=1")
    url = sse.replay(tmp_path).url
    first = post(wire, url, {}, "v1/v1/chat/completions?x=1").read_all().decode().splitlines()[0]
    assert first == "nearest is the path /v1/chat/completions, requested /v1/v1/chat/completions"
    first = post(wire, url, {}, "v1/chat/completions?x=2").read_all().decode().splitlines()[0]
    assert first == 'nearest is a.jsonl: query recorded "x=1", requested "x=2"'
    assert post(wire, url, {}, "v1/chat/completions?x=1").status == 200


def test_ignored_values_may_differ_or_be_missing(sse, wire, tmp_path):
    strict(tmp_path / "a.jsonl", '{"id":"1","m":[{"id":1,"t":"x"},{"id":2,"t":"y"}]}', "a")
    url = sse.replay(tmp_path, "--match-ignore", "/id", "--match-ignore", "/m/*/id").url
    assert data(post(wire, url, {"id": {"new": 1}, "m": [{"id": 5, "t": "x"}, {"t": "y"}]})) == ["a"]
    assert post(wire, url, {"id": "1", "m": [{"id": 1, "t": "x"}, {"id": 2, "t": "z"}]}).status == 404
    assert post(wire, sse.replay(tmp_path).url, {"id": "2", "m": [{"id": 1, "t": "x"}, {"id": 2, "t": "y"}]}).status == 404


def test_masked_values_match_any(sse, wire, tmp_path):
    strict(tmp_path / "a.jsonl", '{"user":"***","q":"***x"}', "a")
    url = sse.replay(tmp_path).url
    assert data(post(wire, url, {"user": {"name": ["u"]}, "q": "***x"})) == ["a"]
    assert post(wire, url, {"user": 1, "q": "abcx"}).status == 404


def test_a_multipart_body_matches_whatever_its_boundary(sse, wire, made):
    def form(boundary, text):
        return f"--{boundary}\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n{text}\r\n--{boundary}--\r\n".encode()
    url = sse.replay(made(form("----one", "x"))).url
    assert data(post(wire, url, form("----another-one", "x"))) == ["1"]
    assert post(wire, url, form("----one", "y")).status == 404


def test_a_single_recording_is_still_served_at_every_path(sse, wire, tmp_path):
    server = sse.replay(strict(tmp_path / "a.jsonl", "{}", "a"))
    assert data(wire.get(server.url + "anything?x=1")) == ["a"]


@pytest.mark.parametrize("begun", ["", '{"sse":1,"url":"http://h/', None], ids=["empty", "cut", "no recording"])
def test_a_file_in_which_nothing_was_recorded_does_not_keep_the_others_from_playing(sse, wire, tmp_path, begun):
    """A proxy that is killed leaves it, if it had only created the file, or written a part of its first line."""
    strict(tmp_path / "d" / "a.jsonl", "{}", "a")
    torn = tmp_path / "d" / "POST-v1-chat-0001.jsonl"
    torn.write_text("whatever\n" if begun is None else begun)
    if begun is None:
        assert sse.run("replay", torn.parent, "--stdout").status == 3
        return
    server = sse.replay(torn.parent)
    assert data(post(wire, server.url, {})) == ["a"]
    assert f"sse: warning: {torn}: nothing was recorded in this file; it is skipped" in server.stderr.text()
    proxy = record(sse, "http://127.0.0.1:1", torn.parent, "--mode", "once")
    assert data(post(wire, proxy.url, {})) == ["a"]
    (torn.parent / "a.jsonl").unlink()
    ran = sse.run("replay", torn.parent)
    assert (ran.status, ran.err.splitlines()[1]) == (3, f"sse: error: {torn.parent}: the directory contains no recording")


# -- the modes of sse record

def test_mode_all_replaces_what_earlier_runs_recorded_of_a_request(sse, wire, made, origin, tmp_path):
    directory = made({"q": 1}, {"q": 1}, {"q": 2})
    proxy = record(sse, origin(numbered).url, directory)
    assert data(post(wire, proxy.url, {"q": 1})) == ["1"]
    poll("the replacement", lambda: len(files(directory)) == 2)
    proxy.end()
    server = sse.replay(directory)
    assert [data(post(wire, server.url, {"q": q}))[0] for q in (1, 1, 2)] == ["1", "1", "3"]


def test_mode_new_plays_what_there_is_and_records_the_rest(sse, wire, made, origin, tmp_path):
    directory = made({"q": 1}, {"q": 1})
    api = origin(numbered)
    proxy = record(sse, api.url, directory, "--mode", "new")
    assert [data(post(wire, proxy.url, {"q": q}))[0] for q in (1, 1, 1, 2, 2)] == ["1", "2", "2", "1", "2"]
    assert len(api.requests) == 2
    poll("the recordings", lambda: len(files(directory)) == 4)
    proxy.end()
    server = sse.replay(directory)
    assert [data(post(wire, server.url, {"q": q}))[0] for q in (2, 2, 1)] == ["1", "2", "1"]


def test_mode_once_records_only_into_an_empty_directory(sse, wire, made, origin, tmp_path):
    directory = made({"q": 1}, flags=["--mode", "once"])
    api = origin(numbered)
    proxy = record(sse, api.url, directory, "--mode", "once")
    proxy.stderr.wait_for("contains recordings, so they are played, and 127.0.0.1:.* is not contacted")
    assert data(post(wire, proxy.url, {"q": 1})) == ["1"]
    assert post(wire, proxy.url, {"q": 2}).status == 404
    assert api.requests == [] and len(files(directory)) == 1


def test_bodies_where_recordings_are_played_are_bounded(sse, wire, made, origin):
    proxy = record(sse, origin(numbered).url, made({"q": 1}), "--mode", "new")
    assert wire.request(proxy.url, "POST", headers={"Content-Length": str(16 * 1024 * 1024 + 1)}).status == 413
