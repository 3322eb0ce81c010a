"""Streams in the exact shapes of public services, read as the man page says."""
import json
import re
import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.release
MAN = Path(__file__).parents[2] / "man/sse-tail.1"
WORDS = ["Once", " upon", " a", " time", ", na\u00efve", " \u8c46", ".\n"]
TEXT = "".join(WORDS)


def dumps(value):
    return json.dumps(value, ensure_ascii=False)


def example(service, url):
    """The arguments of the example in the man page that asks `service`, for `url` in its place."""
    for block in re.findall(r"\.Bd -literal.*?\n(.*?)\.Ed", MAN.read_text(encoding="utf-8"), re.S):
        if f"api.{service}.example" in block:
            words = shlex.split(block.replace("\\e\n", "").removeprefix("$ "))
            assert words[:2] == ["sse", "tail"]
            address = f"https://api.{service}.example/"
            return [w.replace(address, url).replace("$KEY", "sk-secret") for w in words[1:]]
    raise AssertionError(f"no example for {service}")


def openai(c):
    def chunk(delta, **more):
        return dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [
            {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}], **more})
    assert (c.request.target, c.request.header("Authorization")) == ("/v1/chat/completions", "Bearer sk-secret")
    c.head("200 OK", content_type="text/event-stream; charset=utf-8")
    c.chunk(": OPENROUTER PROCESSING\n\n")
    c.chunk(f"data: {chunk({'role': 'assistant', 'content': ''})}\n\n")
    for word in WORDS:
        c.chunk(f"data: {chunk({'content': word})}\n\n")
    c.chunk(f"data: {chunk({})}\n\n")
    c.chunk('data: {"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"total_tokens":9}}\n\n')
    c.chunk(": comment of a gateway\ndata: [DONE]\n\n")
    c.end()


def anthropic_events(*last):
    yield "message_start", {"message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 1}}}
    yield "content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}
    yield "ping", {}
    for word in WORDS:
        yield "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": word}}
        yield "ping", {}
    yield from last


def anthropic(*last):
    def handler(c):
        assert c.request.header("x-api-key") == "sk-secret" and c.request.header("anthropic-version") == "2023-06-01"
        c.head("200 OK", content_type="text/event-stream; charset=utf-8")
        for name, fields in anthropic_events(*last):
            c.chunk(f"event: {name}\ndata: {dumps({'type': name, **fields})}\n\n")
        c.wait_for_close()
    return handler


def gemini(c):
    assert c.request.target == "/v1beta/models/m:streamGenerateContent?alt=sse"
    c.head()
    for n, word in enumerate(WORDS):
        answer = {"candidates": [{"content": {"parts": [{"text": word}], "role": "model"}, "index": 0}],
                  "usageMetadata": {"candidatesTokenCount": n}}
        c.chunk(f"data: {dumps(answer)}\r\n\r\n")
    c.end()


STOP = [("content_block_stop", {"index": 0}), ("message_delta", {"delta": {"stop_reason": "end_turn"}}),
        ("message_stop", {})]


@pytest.mark.parametrize("service, handler, text", [
    ("openai", openai, TEXT),
    ("anthropic", anthropic(*STOP), TEXT),
    ("anthropic", anthropic(("error", {"error": {"type": "overloaded_error", "message": "Overloaded"}})),
     TEXT + "Overloaded"),
    ("gemini", gemini, TEXT),
], ids=["openai", "anthropic", "anthropic's error", "gemini"])
def test_the_text_of_a_model(sse, origin, tmp_path, service, handler, text):
    (tmp_path / "body.json").write_text('{"stream":true}')
    server = origin(handler)
    tail = sse.run(*example(service, server.url), cwd=tmp_path)
    assert (tail.status, tail.out.decode(), tail.err) == (0, text, "")
    request, = server.requests  # once: it would be paid for twice
    assert (request.method, request.body) == ("POST", b'{"stream":true}')
    assert request.header("Content-Type") == "application/json"


def test_a_stream_that_breaks_off_is_told(sse, origin, tmp_path):
    def handler(c):
        c.head()
        c.chunk('data: {"choices":[{"delta":{"content":"Once"}}]}\n\n')
    (tmp_path / "body.json").write_text("{}")
    tail = sse.run(*example("openai", origin(handler).url), cwd=tmp_path)
    assert (tail.status, tail.out) == (56, b"Once")
    assert "before the last chunk" in tail.err


@pytest.mark.parametrize("status, body, said", [
    ("429 Too Many Requests", '{"error":{"type":"rate_limit_error"}}', 'returned 429 Too Many Requests: {"error"'),
    ("529 Overloaded", '{"error":{"type":"overloaded_error"}}', 'returned 529 Overloaded: {"error"'),
])
def test_an_error_instead_of_a_stream(sse, origin, tmp_path, status, body, said):
    (tmp_path / "body.json").write_text("{}")
    server = origin(lambda c: c.answer(status, body, content_type="application/json"))
    tail = sse.run(*example("openai", server.url), cwd=tmp_path)
    assert (tail.status, tail.out) == (22, b"")
    assert said in tail.err and "sse: hint: " in tail.err
    assert len(server.requests) == 1


def test_an_error_object_where_json_was_accepted_is_shown(sse, origin, tmp_path):
    (tmp_path / "body.json").write_text("{}")
    server = origin(lambda c: c.answer("200 OK", '{"error":{"message":"stream must be true"}}',
                                       content_type="application/json"))
    tail = sse.run(*example("openai", server.url), cwd=tmp_path)
    assert (tail.status, tail.out) == (1, b"stream must be true")


def test_ollama_is_json_lines(sse, origin):
    def handler(c):
        c.head(content_type="application/x-ndjson")
        for word in WORDS:
            c.chunk(dumps({"model": "m", "message": {"role": "assistant", "content": word}, "done": False}) + "\n")
        c.chunk('{"model":"m","done":true,"done_reason":"stop"}\n')
        c.end()
    tail = sse.run("tail", origin(handler).url, "--json", "{}", "--pointer", "/message/content", "--join")
    assert (tail.status, tail.out.decode(), tail.err) == (0, TEXT, "")


def test_wikimedias_ids_come_back_byte_for_byte(sse, origin):
    """JSON arrays with quotes, commas and brackets; the stream ends every so often."""
    def position(n):
        return dumps([{"topic": "eqiad.mediawiki.recentchange", "partition": 0, "timestamp": 1700000000000 + n},
                      {"topic": "codfw.mediawiki.recentchange", "partition": 0, "offset": -1}])

    def handler(c):
        last = c.request.header("Last-Event-ID")
        n = json.loads(last)[0]["timestamp"] - 1700000000000 + 1 if last else 0
        c.head("200 OK", "Server: envoy", content_type="text/event-stream; charset=utf-8")
        c.chunk(":ok\n\n")
        for i in range(n, n + 2):
            change = {"title": f"Caf\u00e9 {i}", "$schema": "/mediawiki/recentchange/1.0.0"}
            c.chunk(f"event: message\nid: {position(i)}\ndata: {dumps(change)}\n\n")
        c.end()
    server = origin(handler)
    tail = sse.run("tail", server.url, "-n", "6", "--pointer", "/title", "--retry", "100ms")
    assert (tail.status, tail.out.decode()) == (0, "".join(f"Caf\u00e9 {n}\n" for n in range(6))), tail.err
    assert [r.header("Last-Event-ID") for r in server.requests] == [None, position(1), position(3)]


def test_mastodons_comments_fall_between_lines(sse, origin):
    """`:)` and `:thump` have no blank line, and may stand within an event; they are life."""
    def handler(c):
        assert c.request.header("Authorization") == "Bearer token"
        c.head("200 OK", "Cache-Control: no-store")
        c.chunk(":)\n")
        c.chunk("event: update\n")
        c.chunk(":thump\n")
        c.chunk('data: {"id":"1","content":"<p>h\u00e9</p>"}\n\n')
        for _ in range(1000):
            c.chunk(":thump\n")
        c.chunk("event: delete\ndata: 103704874086360371\n\n")
        c.wait_for_close()
    tail = sse.run("tail", origin(handler).url, "--bearer", "token", "-F", "{event} {data}", "-n", "2")
    assert (tail.status, tail.err) == (0, "")
    assert tail.out.decode() == 'update {"id":"1","content":"<p>h\u00e9</p>"}\ndelete 103704874086360371\n'


@pytest.mark.parametrize("wire, out", [
    ("data: : keepalive\n\ndata: x\n\n", ": keepalive\nx\n"),           # Vertex: an event by the standard
    (":\n:\n:\ndata: x\n\n", "x\n"),                                    # llama.cpp
    ("event: heartbeat\ndata: \n\ndata: x\n\n", "\nx\n"),               # CouchDB: empty data is an event
    ("id: 1_1\ndata: \n\nid: 1_2\ndata: {}\n\n", "\n{}\n"),             # MCP's priming event
    ("event: endpoint\ndata: /messages?id=1\n\n", "/messages?id=1\n"),  # MCP of 2024
    ("event: error\ndata: no\n\ndata: x\n\n", "no\nx\n"),               # no error of the transport
], ids=["vertex", "llama.cpp", "couchdb", "mcp", "mcp 2024", "an event named error"])
def test_keepalives_and_oddities(sse, origin, wire, out):
    def handler(c):
        c.head()
        c.chunk(wire)
        c.end()
    tail = sse.run("tail", origin(handler).url, "--no-reconnect")
    assert (tail.status, tail.out.decode(), tail.err) == (0, out, "")


def test_mcps_retry_is_waited_for(sse, origin):
    """`retry: 2000`, then the end: the next request comes no sooner."""
    import time
    at = []

    def handler(c):
        at.append(time.monotonic())
        if c.number:
            return c.answer("204 No Content")
        c.head()
        c.chunk("id: 7\nretry: 2000\ndata\n\n")
        c.end()
        at.append(time.monotonic())
    server = origin(handler)
    assert sse.run("tail", server.url).status == 0
    assert at[2] - at[1] >= 1.95 and server.requests[1].header("Last-Event-ID") == "7"
