"""sse tail and servers of npm: better-sse, and an MCP server over Streamable HTTP."""
import json
import os

import pytest
from support.npm import install

pytestmark = pytest.mark.release

BETTER_SSE = """
import http from 'node:http';
import {createSession, createChannel} from 'better-sse';
const channel = createChannel();
http.createServer(async (request, response) => {
    const session = await createSession(request, response, {retry: 100, keepAlive: 500});
    console.log('last id: ' + session.lastId);
    const last = Number(session.lastId || 0);
    for (let n = last + 1; n <= last + 3; ++n)
        session.push({n, text: 'line\\nend \\u2028 na\\u00efve'}, n % 2 ? 'odd' : 'even', String(n));
    setTimeout(() => response.end(), 200);
}).listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); });
"""

MCP = """
import http from 'node:http';
import {randomUUID} from 'node:crypto';
import {McpServer} from '@modelcontextprotocol/sdk/server/mcp.js';
import {StreamableHTTPServerTransport} from '@modelcontextprotocol/sdk/server/streamableHttp.js';
const sessions = {};
http.createServer(async (request, response) => {
    let transport = sessions[request.headers['mcp-session-id']];
    if (!transport) {
        transport = new StreamableHTTPServerTransport({
            sessionIdGenerator: () => randomUUID(),
            onsessioninitialized: id => { sessions[id] = transport; }});
        const server = new McpServer({name: 'test', version: '1.0.0'}, {capabilities: {logging: {}}});
        server.registerTool('count', {description: 'counts'}, async extra => {
            for (let n = 1; n <= 3; ++n)
                await extra.sendNotification({method: 'notifications/message', params: {level: 'info', data: n}});
            return {content: [{type: 'text', text: 'counted'}]};
        });
        await server.connect(transport);
    }
    await transport.handleRequest(request, response);
}).listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port); });
"""


# The same with a store of events; the tool lets go of its answer's stream in the middle.
MCP_RESUMED = MCP.replace("const sessions = {};", """const sessions = {};
const sent = [];
const eventStore = {
    async storeEvent(streamId, message) { sent.push({streamId, message}); return String(sent.length); },
    async replayEventsAfter(lastEventId, {send}) {
        const {streamId} = sent[lastEventId - 1];
        for (let i = Number(lastEventId); i < sent.length; ++i)
            if (sent[i].streamId === streamId) await send(String(i + 1), sent[i].message);
        return streamId;
    }};""").replace("sessionIdGenerator:", "eventStore, retryInterval: 100, sessionIdGenerator:").replace(
    "for (let n = 1; n <= 3; ++n)", "for (let n = 1; n <= 3; ++n, n == 3 && extra.closeSSEStream())")


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    return install(tmp_path_factory.mktemp("npm-servers"), "better-sse", "@modelcontextprotocol/sdk")


@pytest.fixture
def node(sse, packages):
    """Runs a script that says its port; returns its URL and the process."""
    def run(script):
        file = packages / f"server-{os.getpid()}.mjs"
        file.write_text(script)
        server = sse.start_program("node", file)
        port = server.stdout.wait_for(r"^port (\d+)$")[1]
        return f"http://127.0.0.1:{port}/", server
    return run


def test_better_sse_from_id_to_id(sse, node):
    """Three events a connection: the ids carry it on."""
    url, server = node(BETTER_SSE)
    tail = sse.run("tail", url, "-n", "9", "-o", "json")
    assert tail.status == 0, tail.err
    events = [json.loads(line) for line in tail.out.splitlines()]
    assert [int(e["id"]) for e in events] == list(range(1, 10))
    assert [e["event"] for e in events[:3]] == ["odd", "even", "odd"]
    assert json.loads(events[0]["data"]) == {"n": 1, "text": "line\nend \u2028 na\u00efve"}
    assert [line for line in server.stdout.text().splitlines() if line.startswith("last")] == [
        "last id: ", "last id: 3", "last id: 6"]


def rpc(method, number=None, **params):
    return json.dumps({"jsonrpc": "2.0", "method": method, **({"id": number} if number is not None else {}),
                       **({"params": params} if params else {})})


def test_an_mcp_server_over_streamable_http(sse, node):
    """initialize by POST, the session's header read from -v, then a tool whose answer is a stream."""
    url, _ = node(MCP)
    hello = sse.run("tail", url, "-v", "--pointer", "/result/serverInfo/name", "--json", rpc(
        "initialize", 0, protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "sse", "version": "1"}),
        )
    assert (hello.status, hello.out) == (0, b"test\n"), hello.err
    session = next(line.split(": ")[-1] for line in hello.err.splitlines() if "< mcp-session-id: " in line.lower())
    headers = ["-H", f"Mcp-Session-Id: {session}", "-H", "MCP-Protocol-Version: 2025-06-18"]
    ready = sse.run("tail", url, *headers, "--json", rpc("notifications/initialized"))
    assert ready.status == 22 and "returned 202 Accepted" in ready.err
    called = sse.run("tail", url, *headers, "--json", rpc("tools/call", 1, name="count", arguments={}),
                     "--pointer", "/params/data", "--pointer", "/result/content/0/text")
    assert (called.status, called.out) == (0, b"1\n2\n3\ncounted\n"), called.err
    unknown = sse.run("tail", url, "-H", "Mcp-Session-Id: other", "--json", rpc("tools/list", 2))
    assert unknown.status == 22 and "returned 4" in unknown.err
    standing = sse.start("tail", url, *headers, "-v")  # the server's own stream, by GET
    standing.stderr.wait_for("stream open")
    standing.signal(2)
    assert standing.wait() == 130


def test_an_mcp_answer_that_is_let_go_goes_on_under_a_get(sse, node):
    """Resumability of Streamable HTTP: Last-Event-ID on a GET, for a stream that a POST began."""
    url, _ = node(MCP_RESUMED)
    hello = sse.run("tail", url, "-v", "-n", "1", "--pointer", "/result", "--json", rpc(
        "initialize", 0, protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "sse", "version": "1"}),
        )
    session = next(line.split(": ")[-1] for line in hello.err.splitlines() if "< mcp-session-id: " in line.lower())
    headers = ["-H", f"Mcp-Session-Id: {session}", "-H", "MCP-Protocol-Version: 2025-11-25"]
    assert sse.run("tail", url, *headers, "--json", rpc("notifications/initialized")).status == 22
    called = sse.run("tail", url, *headers, "--json", rpc("tools/call", 1, name="count", arguments={}), "--resume-get",
                     "-v", "--pointer", "/params/data", "--pointer", "/result/content/0/text", "-n", "4")
    assert (called.status, called.out) == (0, b"1\n2\n3\ncounted\n"), called.err
    assert "> GET / HTTP/1.1" in called.err and "> Last-Event-ID: " in called.err
