"""SDKs that no one here wrote, through `sse record` to an upstream server, and then, without that server, to `sse
replay`: they read the same events both times."""
import json
import signal
import threading

import pytest

from support.deadline import HANG, poll
from support.record import files, record

pytestmark = pytest.mark.release
WORDS = ["Once", " upon", " a", " time", ", naïve", " 豆", ".\n"]

# Each prints every event that its SDK gives, all at once as one JSON object. Only the AI SDK's contain
# numbers of its own, at random, and times.
CLIENTS = """
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import {GoogleGenAI} from '@google/genai';
import {streamText} from 'ai';
import {createOpenAICompatible} from '@ai-sdk/openai-compatible';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const base = process.argv[2].slice(0, -1);
const messages = [{role: 'user', content: 'hi'}];
const openai = new OpenAI({baseURL: base + '/v1', apiKey: 'sk-secret', maxRetries: 0});

async function all(stream) {
    const events = [];
    for await (const event of await stream) events.push(event);
    return events;
}

const clients = {
    'openai chat': () => all(openai.chat.completions.create({model: 'm', stream: true, messages})),
    'openai responses': () => all(openai.responses.create({model: 'm', stream: true, input: 'hi'})),
    'anthropic': () => all(new Anthropic({baseURL: base, apiKey: 'sk-secret', maxRetries: 0}).messages.create(
        {model: 'm', max_tokens: 99, stream: true, messages})),
    'gemini': async () => (await all(new GoogleGenAI({apiKey: 'sk-secret', httpOptions: {baseUrl: base}})
        .models.generateContentStream({model: 'm', contents: 'hi'}))).map(event => event.candidates),
    'ai sdk': async () => (await all(streamText({
        model: createOpenAICompatible({name: 'x', baseURL: base + '/v1', apiKey: 'sk-secret'})('other'),
        prompt: 'hi', maxRetries: 0}).fullStream)).map(part => [part.type, part.text, part.finishReason]),
    'mcp': async () => {
        const client = new Client({name: 'test', version: '1'});
        const transport = new StreamableHTTPClientTransport(new URL(base + '/mcp'));
        await client.connect(transport);
        const progress = [];
        const tools = await client.listTools();
        const result = await client.callTool({name: 'add', arguments: {a: 1}}, undefined,
                                             {onprogress: it => progress.push(it)});
        await transport.terminateSession();
        return [tools, progress, result];
    },
};
const results = await Promise.all(Object.entries(clients).map(async ([name, run]) => [name, await run()]));
console.log(JSON.stringify(Object.fromEntries(results)));
process.exit(0);
"""


def dumps(value):
    return json.dumps(value, ensure_ascii=False)


def send(c, *events, end="", head=()):
    """Each event in two chunks, cut where UTF-8 may be cut as well."""
    c.head("200 OK", *head, content_type="text/event-stream; charset=utf-8")
    for event in events:
        data = dumps(event)
        kind = f"event: {event['type']}\n" if "type" in event else ""
        text = f"{kind}data: {data}\n\n".encode()
        c.chunk(text[:len(text) * 2 // 3])
        c.chunk(text[len(text) * 2 // 3:])
    if end:
        c.chunk(end)
    c.end()


def chat(c):
    def chunk(delta, finish=None):
        return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    send(c, chunk({"role": "assistant", "content": ""}), *(chunk({"content": w}) for w in WORDS), chunk({}, "stop"),
         end="data: [DONE]\n\n")


def responses(c):
    response = {"id": "r1", "object": "response", "created_at": 1, "model": "m", "output": []}
    send(c, {"type": "response.created", "sequence_number": 0, "response": {**response, "status": "in_progress"}},
         *({"type": "response.output_text.delta", "sequence_number": n, "item_id": "i", "output_index": 0,
            "content_index": 0, "delta": w, "logprobs": []} for n, w in enumerate(WORDS, 1)),
         {"type": "response.completed", "sequence_number": 9, "response": {**response, "status": "completed"}})


def messages(c):
    message = {"id": "m1", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None,
               "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    send(c, {"type": "message_start", "message": message},
         {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, {"type": "ping"},
         *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}} for w in WORDS),
         {"type": "content_block_stop", "index": 0},
         {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
          "usage": {"output_tokens": 7}}, {"type": "message_stop"})


def gemini(c):
    send(c, *({"candidates": [{"content": {"parts": [{"text": w}], "role": "model"}, "index": 0}]} for w in WORDS))


def mcp(c):
    if c.request.method == "GET":
        return c.answer("405 Method Not Allowed", "", "Allow: POST, DELETE")
    if c.request.method == "DELETE":
        return c.answer("200 OK", "")
    asked = json.loads(c.request.body)
    if "id" not in asked:
        return c.answer("202 Accepted", "")

    def answer(result):
        return {"jsonrpc": "2.0", "id": asked["id"], "result": result}
    if asked["method"] == "initialize":
        return send(c, answer({"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {"tools": {}},
                               "serverInfo": {"name": "upstream", "version": "1"}}), head=["Mcp-Session-Id: s1"])
    assert c.request.header("mcp-session-id") == "s1"
    if asked["method"] == "tools/list":
        return send(c, answer({"tools": [{"name": "add", "inputSchema": {"type": "object"}}]}))
    token = asked["params"]["_meta"]["progressToken"]
    return send(c, *({"jsonrpc": "2.0", "method": "notifications/progress",
                      "params": {"progressToken": token, "progress": n, "total": 3}} for n in (1, 2, 3)),
                answer({"content": [{"type": "text", "text": "".join(WORDS)}]}))


ROUTES = {"/v1/chat/completions": chat, "/v1/responses": responses, "/v1/messages": messages, "/mcp": mcp,
          "/v1beta/models/m:streamGenerateContent?alt=sse": gemini}


def test_sdks_read_the_same_events_from_the_upstream_server_and_from_its_recordings(sse, node, origin, tmp_path):
    api = origin(lambda c: ROUTES[c.request.target](c))
    proxy = record(sse, api.url, tmp_path)
    first = json.loads(node(CLIENTS, proxy.url))
    poll("the recordings", lambda: len(files(tmp_path)) == len(api.requests))
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 0
    api.close()
    again = json.loads(node(CLIENTS, sse.replay(tmp_path).url))
    for client, events in first.items():
        assert again[client] == events, client
    assert [e["choices"][0]["delta"].get("content") for e in first["openai chat"]] == ["", *WORDS, None]
    assert [e["delta"] for e in first["openai responses"] if "delta" in e] == WORDS
    assert [e["delta"]["text"] for e in first["anthropic"] if e["type"] == "content_block_delta"] == WORDS
    assert [e[0]["content"]["parts"][0]["text"] for e in first["gemini"]] == WORDS
    assert "".join(text for kind, text, _ in first["ai sdk"] if kind == "text-delta") == "".join(WORDS)
    tools, progress, result = first["mcp"]
    assert [tool["name"] for tool in tools["tools"]] == ["add"]
    assert [it["progress"] for it in progress] == [1, 2, 3]
    assert result["content"][0]["text"] == "".join(WORDS)
    assert "sk-secret" not in "".join(p.read_text() for p in tmp_path.iterdir())


MANY = 200
MANY_CLIENTS = """
import OpenAI from 'openai';
const openai = new OpenAI({baseURL: process.argv[2] + 'v1', apiKey: 'sk-secret', maxRetries: 0});

async function ask(number) {
    const events = [];
    for await (const event of await openai.chat.completions.create(
        {model: 'm', stream: true, messages: [{role: 'user', content: `question ${number}`}]})) events.push(event);
    return events;
}
const answers = JSON.stringify(await Promise.all([...Array(MANY).keys()].map(ask)));
process.stdout.write(answers, () => process.exit(0));
""".replace("MANY", str(MANY))


def test_two_hundred_clients_at_once_read_the_same_events_from_the_recordings(sse, node, origin, tmp_path):
    all_here = threading.Barrier(MANY)

    def answer(c):
        question = json.loads(c.request.body)["messages"][0]["content"]

        def chunk(text, finish=None):
            return {"id": question, "object": "chat.completion.chunk", "created": 1, "model": "m",
                    "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}
        all_here.wait(HANG)
        send(c, *(chunk(f"{word} {question}") for word in WORDS), chunk("", "stop"), end="data: [DONE]\n\n")
    api = origin(answer)
    proxy = record(sse, api.url, tmp_path, "--threads", "2")
    first = json.loads(node(MANY_CLIENTS, proxy.url))
    for number, events in enumerate(first):
        assert [e["choices"][0]["delta"]["content"] for e in events] == [*(f"{w} question {number}" for w in WORDS), ""]
    poll("the recordings", lambda: len(files(tmp_path)) == MANY)
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 0
    api.close()
    assert json.loads(node(MANY_CLIENTS, sse.replay(tmp_path, "--no-wait").url)) == first
