"""Clients that no one here wrote, against `sse replay`: the SDKs of two APIs, and npm's eventsource."""
import json
import shutil
import subprocess
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def npm(tmp_path_factory):
    """A folder with the packages, and how to run a script in it."""
    if not shutil.which("npm"):
        subprocess.run(["bash", Path(__file__).parents[2] / "cmd/need", "npm"], check=True)
    folder = tmp_path_factory.mktemp("npm")
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts",
                    "openai", "@anthropic-ai/sdk", "eventsource"], cwd=folder, check=True, timeout=300)

    def run(script, url):
        (folder / "client.mjs").write_text(script)
        done = subprocess.run(["node", "client.mjs", url], cwd=folder, capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run


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
def test_an_sdk_reads_the_recorded_text(sse, npm, apis, script, flags):
    server = sse.replay(apis, *flags)
    assert npm(script, server.url) == "".join(WORDS) + "\n"


def test_eventsource_resumes_through_drops_and_misses_nothing(sse, npm, tmp_path):
    lines = [{"t": 0, "retry": 10}, *({"t": i / 200, "id": str(i), "data": f"event {i}"} for i in range(1, 10)),
             {"t": 0.05, "id": "10", "data": "last"}]
    server = sse.replay(recording(tmp_path / "r.jsonl", *lines), "--drop-every", "3", "--reset")
    out = npm(EVENTSOURCE, server.url).splitlines()
    assert out == [f"{i} event {i}" for i in range(1, 10)] + ["10 last"]
