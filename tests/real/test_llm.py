"""An LLM API's stream: read over POST, recorded, and replayed with its timing."""
import json
import random
import time

import pytest

pytestmark = pytest.mark.release


def completions(gaps):
    """A stand-in for POST /v1/chat/completions, its words `gaps` seconds apart."""
    def handler(connection):
        request = connection.request
        if (request.method, request.target) != ("POST", "/v1/chat/completions"):
            return connection.answer("404 Not Found", '{"error":{"message":"no such route"}}',
                                     content_type="application/json")
        if request.header("authorization") != "Bearer sk-secret":
            return connection.answer("401 Unauthorized", '{"error":{"message":"bad key"}}',
                                     content_type="application/json")
        assert json.loads(request.body)["stream"] is True
        connection.head("200 OK", content_type="text/event-stream; charset=utf-8")
        for n, gap in enumerate(gaps):
            time.sleep(gap)  # the pace of the model
            delta = {"role": "assistant", "content": ""} if n == 0 else {"content": f" w{n} é豆"}
            chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk",
                     "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
            connection.chunk(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n")
        connection.chunk("data: [DONE]\n\n")
        connection.end()

    return handler


def test_a_completion_is_recorded_and_replayed_with_its_timing(sse, origin, wire, tmp_path):
    dice = random.Random(5)
    gaps = [dice.choice((0.001, 0.01, 0.03, 0.06)) for _ in range(60)]
    server = origin(completions(gaps))
    body, recording = tmp_path / "body.json", tmp_path / "run.jsonl"
    body.write_text('{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}')

    tail = sse.run("tail", "-d", f"@{body}", "-H", "Content-Type: application/json",
                   "-H", "Authorization: Bearer sk-secret", "--until-data", "[DONE]",
                   "--record", recording, server.url + "v1/chat/completions")
    assert tail.status == 0, tail.err
    assert len(server.requests) == 1  # a POST is not repeated: it would be paid for twice
    said = tail.out.decode().splitlines()
    assert len(said) == len(gaps) + 1 and said[-1] == "[DONE]"

    head, *records = map(json.loads, recording.read_text(encoding="utf-8").strip().split("\n"))
    assert "sk-secret" not in recording.read_text(encoding="utf-8")
    assert head["request"]["method"] == "POST" and head["response"]["status"] == 200
    recorded = [(r["t"], r["data"]) for r in records if "data" in r]
    assert [data for _, data in recorded] == said

    replay = sse.replay(recording)
    begun = time.monotonic()
    answer = wire.get(replay.url)
    assert answer.status == 200
    came = []
    while len(came) < len(said):
        events = answer.stream.feed(answer.more())
        came += [(time.monotonic(), event.data) for event in events]
    assert [data for _, data in came] == said

    assert all(at - begun >= t for (at, _), (t, _) in zip(came, recorded))  # never early; the benches tell how late


def test_an_api_that_refuses_says_why(sse, origin, tmp_path):
    server = origin(completions([]))
    tail = sse.run("tail", "--json", '{"stream":true}', "-H", "Authorization: Bearer wrong",
                   server.url + "v1/chat/completions")
    assert tail.status == 22 and tail.out == b""
    assert tail.err.startswith("sse: error: ") and "401" in tail.err
    assert "bad key" in tail.err and "wrong" not in tail.err
