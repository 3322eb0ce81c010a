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

# Runs as many clients at once as its second argument says, of all SDKs in turn, and prints for each its name and every
# event that its SDK gives. Only those of the AI SDK contain numbers of its own, at random, and times.
CLIENTS = """
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import {GoogleGenAI} from '@google/genai';
import {streamText} from 'ai';
import {createOpenAICompatible} from '@ai-sdk/openai-compatible';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const base = process.argv[2].slice(0, -1);
const openai = new OpenAI({baseURL: base + '/v1', apiKey: 'sk-secret', maxRetries: 0});

async function all(stream) {
    const events = [];
    for await (const event of await stream) events.push(event);
    return events;
}

const messages = number => [{role: 'user', content: `question ${number}`}];
const clients = {
    'openai chat': n => all(openai.chat.completions.create({model: 'm', stream: true, messages: messages(n)})),
    'openai responses': n => all(openai.responses.create({model: 'm', stream: true, input: `question ${n}`})),
    'anthropic': n => all(new Anthropic({baseURL: base, apiKey: 'sk-secret', maxRetries: 0}).messages.create(
        {model: 'm', max_tokens: 99, stream: true, messages: messages(n)})),
    'gemini': async n => (await all(new GoogleGenAI({apiKey: 'sk-secret', httpOptions: {baseUrl: base}})
        .models.generateContentStream({model: 'm', contents: `question ${n}`}))).map(event => event.candidates),
    'ai sdk': async n => (await all(streamText({
        model: createOpenAICompatible({name: 'x', baseURL: base + '/v1', apiKey: 'sk-secret'})('other'),
        prompt: `question ${n}`, maxRetries: 0}).fullStream)).map(part => [part.type, part.text, part.finishReason]),
    'mcp': async n => {
        const client = new Client({name: `test ${n}`, version: '1'});
        const transport = new StreamableHTTPClientTransport(new URL(base + '/mcp'));
        await client.connect(transport);
        const progress = [];
        const tools = await client.listTools();
        const result = await client.callTool({name: 'add', arguments: {a: `question ${n}`}}, undefined,
                                             {onprogress: it => progress.push(it)});
        await transport.terminateSession();
        return [tools, progress, result];
    },
};
const names = Object.keys(clients);
const results = await Promise.all([...Array(Number(process.argv[3])).keys()].map(async number => {
    const name = names[number % names.length];
    return [name, await clients[name](number)];
}));
process.stdout.write(JSON.stringify(results), () => process.exit(0));
"""


def words(c):
    """What the question in the request is answered with: its own words last."""
    asked = json.loads(c.request.body)
    if "params" in asked:
        return [*WORDS, asked["params"]["arguments"]["a"]]
    if "contents" in asked:
        return [*WORDS, asked["contents"][0]["parts"][0]["text"]]
    return [*WORDS, asked["input"] if "input" in asked else asked["messages"][0]["content"]]


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
    send(c, chunk({"role": "assistant", "content": ""}), *(chunk({"content": w}) for w in words(c)), chunk({}, "stop"),
         end="data: [DONE]\n\n")


def responses(c):
    response = {"id": "r1", "object": "response", "created_at": 1, "model": "m", "output": []}
    send(c, {"type": "response.created", "sequence_number": 0, "response": {**response, "status": "in_progress"}},
         *({"type": "response.output_text.delta", "sequence_number": n, "item_id": "i", "output_index": 0,
            "content_index": 0, "delta": w, "logprobs": []} for n, w in enumerate(words(c), 1)),
         {"type": "response.completed", "sequence_number": 99, "response": {**response, "status": "completed"}})


def messages(c):
    message = {"id": "m1", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None,
               "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    send(c, {"type": "message_start", "message": message},
         {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, {"type": "ping"},
         *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}} for w in words(c)),
         {"type": "content_block_stop", "index": 0},
         {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
          "usage": {"output_tokens": 7}}, {"type": "message_stop"})


def gemini(c):
    send(c, *({"candidates": [{"content": {"parts": [{"text": w}], "role": "model"}, "index": 0}]} for w in words(c)))


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
                answer({"content": [{"type": "text", "text": "".join(words(c))}]}))


ROUTES = {"/v1/chat/completions": chat, "/v1/responses": responses, "/v1/messages": messages, "/mcp": mcp,
          "/v1beta/models/m:streamGenerateContent?alt=sse": gemini}


SDKS = 6


def recorded_and_replayed(sse, node, origin, tmp_path, count, answer, *flags):
    """What `count` clients read through `sse record`, and that they read the same from `sse replay`."""
    api = origin(answer)
    proxy = record(sse, api.url, tmp_path, *flags)
    first = json.loads(node(CLIENTS, proxy.url, str(count)))
    poll("the recordings", lambda: len(files(tmp_path)) == len(api.requests))
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 0
    api.close()
    again = json.loads(node(CLIENTS, sse.replay(tmp_path, "--no-wait").url, str(count)))
    for number, (client, events) in enumerate(first):
        assert again[number] == [client, events], (number, client)
    return first


def check_words(client, events, expected):
    """The events of that SDK contain these words."""
    if client == "openai chat":
        assert [e["choices"][0]["delta"].get("content") for e in events] == ["", *expected, None]
    elif client == "openai responses":
        assert [e["delta"] for e in events if "delta" in e] == expected
    elif client == "anthropic":
        assert [e["delta"]["text"] for e in events if e["type"] == "content_block_delta"] == expected
    elif client == "gemini":
        assert [e[0]["content"]["parts"][0]["text"] for e in events] == expected
    elif client == "ai sdk":
        assert "".join(text for kind, text, _ in events if kind == "text-delta") == "".join(expected)
    else:
        assert client == "mcp"
        tools, progress, result = events
        assert [tool["name"] for tool in tools["tools"]] == ["add"]
        assert [it["progress"] for it in progress] == [1, 2, 3]
        assert result["content"][0]["text"] == "".join(expected)


def test_sdks_read_the_same_events_from_the_upstream_server_and_from_its_recordings(sse, node, origin, tmp_path):
    first = recorded_and_replayed(sse, node, origin, tmp_path, SDKS, lambda c: ROUTES[c.request.target](c))
    assert len(dict(first)) == SDKS
    for number, (client, events) in enumerate(first):
        check_words(client, events, [*WORDS, f"question {number}"])
    assert "sk-secret" not in "".join(p.read_text() for p in tmp_path.iterdir())


def test_two_hundred_clients_of_all_sdks_at_once_read_the_same_events_from_the_recordings(sse, node, origin, tmp_path):
    many = 200
    all_here = threading.Barrier(many)

    def answer(c):
        if b"question " in c.request.body:  # one request of each client
            all_here.wait(HANG)
        ROUTES[c.request.target](c)
    for number, (client, events) in enumerate(recorded_and_replayed(sse, node, origin, tmp_path, many, answer,
                                                                    "--threads", "2")):
        check_words(client, events, [*WORDS, f"question {number}"])
