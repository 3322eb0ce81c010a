"""Clients that no one here wrote, against `sse replay`: the SDKs of two APIs and of MCP, npm's eventsource, and a
browser."""
import json

import pytest

from support.deadline import poll
from support.recording import recorded, recording

pytestmark = pytest.mark.release
WORDS = ["Once", " upon", " a", " time", ", naïve", " 豆", "."]

OPENAI = """
import OpenAI from 'openai';
const client = new OpenAI({baseURL: process.argv[2] + 'v1', apiKey: 'sk-test', maxRetries: 2});
const stream = await client.chat.completions.create(
    {model: 'm', stream: true, messages: [{role: 'user', content: 'hi'}]});
let text = '';
for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? '';
console.log(text);
"""

ANTHROPIC = """
import Anthropic from '@anthropic-ai/sdk';
const client = new Anthropic({baseURL: process.argv[2].slice(0, -1), apiKey: 'sk-test', maxRetries: 2});
const stream = client.messages.stream(
    {model: 'm', max_tokens: 99, messages: [{role: 'user', content: 'hi'}]});
console.log(await stream.finalText());
"""

EVENTSOURCE = """
import {EventSource} from 'eventsource';
const source = new EventSource(process.argv[2]);
source.onmessage = event => {
    console.log(event.lastEventId + ' ' + event.data);
    if (event.data === 'last') { source.close(); process.exit(0); }
};
"""


MCP = """
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
const client = new Client({name: 'test', version: '1'});
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2] + 'mcp')));
console.log((await client.listTools()).tools.map(tool => tool.name).join(' '));
process.exit(0);
"""


@pytest.fixture
def apis(tmp_path):
    """Recordings of both APIs in one directory."""
    def chunk(**choice):
        return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": {}, "finish_reason": None, **choice}]}
    chunks = [chunk(delta={"role": "assistant", "content": ""}), *(chunk(delta={"content": w}) for w in WORDS),
              chunk(finish_reason="stop")]
    recording(tmp_path / "openai.jsonl",
              *({"t": i / 100, "data": json.dumps(it)} for i, it in enumerate(chunks)), {"t": 0.2, "data": "[DONE]"},
              head=recorded("POST", "https://api.openai.example/v1/chat/completions",
                            **{"Content-Type": "text/event-stream; charset=utf-8"}))
    events = [
        {"type": "message_start", "message": {"id": "m1", "type": "message", "role": "assistant", "content": [],
                                              "model": "m", "stop_reason": None, "stop_sequence": None,
                                              "usage": {"input_tokens": 1, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}} for w in WORDS),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 7}},
        {"type": "message_stop"}]
    recording(tmp_path / "anthropic.jsonl",
              *({"t": i / 100, "event": e["type"], "data": json.dumps(e)} for i, e in enumerate(events)),
              head=recorded("POST", "https://api.anthropic.example/v1/messages"))
    return tmp_path


@pytest.mark.parametrize("script", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
@pytest.mark.parametrize("flags", [(), ("--split", "1", "--no-wait"), ("--status", "503", "--times", "1")],
                         ids=["plain", "split", "busy at first"])
def test_an_sdk_reads_the_recorded_text(sse, node, apis, script, flags):
    server = sse.replay(apis, *flags)
    assert node(script, server.url) == "".join(WORDS) + "\n"


def test_eventsource_resumes_through_drops_and_misses_nothing(sse, node, tmp_path):
    lines = [{"t": 0, "retry": 10}, *({"t": i / 200, "id": str(i), "data": f"event {i}"} for i in range(1, 10)),
             {"t": 0.05, "id": "10", "data": "last"}]
    server = sse.replay(recording(tmp_path / "r.jsonl", *lines), "--drop-every", "3", "--reset")
    out = node(EVENTSOURCE, server.url).splitlines()
    assert out == [f"{i} event {i}" for i in range(1, 10)] + ["10 last"]


def test_a_browser_resumes_through_drops_and_misses_nothing(sse, browser, tmp_path):
    recording(tmp_path / "r.jsonl", {"t": 0, "retry": 50},
              *({"t": i / 500, "id": str(i), "data": f"event {i}"} for i in range(1, 20)),
              head=recorded("GET", "https://x.example/stream"))
    server = sse.replay(tmp_path, "--drop-every", "3")
    browser.open(server.url + "no-such-page")  # of the stream's own origin
    poll("the page", lambda: browser.run("document.readyState") == "complete")
    browser.run("""window.seen = []; window.opened = 0;
        window.stream = new EventSource('/stream');
        stream.onopen = () => ++opened;
        stream.onmessage = e => seen.push(e.lastEventId + ' ' + e.data);""")
    poll("the end", lambda: browser.run("stream.readyState") == 2, 60)  # 204 after the last event
    assert browser.run("seen") == [f"{i} event {i}" for i in range(1, 20)]
    assert browser.run("opened") >= 6


def test_the_mcp_client_lists_tools_over_a_recorded_session(sse, node, tmp_path):
    """Its requests are numbered from 0, so the recorded answers have the ids it waits for; the bodies say which is
    which. A notification is answered 202, and the stream that it asks for with GET is not there."""
    def exchange(name, body, *lines, **more):
        recording(tmp_path / f"{name}.jsonl", *lines,
                  head=recorded("POST", "https://mcp.example/mcp", body and json.dumps(body), **more))

    def answer(number, result):
        return {"t": 0.01, "event": "message", "data": json.dumps({"jsonrpc": "2.0", "id": number, "result": result})}
    exchange("1-initialize", None,
             answer(0, {"protocolVersion": "2025-03-26", "capabilities": {"tools": {}},
                        "serverInfo": {"name": "recorded", "version": "1"}}),
             **{"Content-Type": "text/event-stream", "Mcp-Session-Id": "s1"})
    exchange("2-initialized", {"jsonrpc": "2.0", "method": "notifications/initialized"}, status=202)
    exchange("3-list", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
             answer(1, {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in ("add", "subtract")]}))
    assert node(MCP, sse.replay(tmp_path, "--match-body").url) == "add subtract\n"
