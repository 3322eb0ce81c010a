"""What other programs have recorded, played by sse replay: cassettes of VCR and vcrpy, HAR files of Polly and of
mitmproxy."""
import base64
import gzip
import json
import zlib

import pytest

STREAM = "event: delta\ndata: {\"a\":\"é\"}\n\ndata: [DONE]\n\n"
PACKED = gzip.compress(STREAM.encode(), mtime=0)


def b64(data):
    return base64.b64encode(data).decode()


def folded(data, indent):
    """base64 as PyYAML writes it, on several lines."""
    text = b64(data)
    return "\n".join(" " * indent + text[i:i + 60] for i in range(0, len(text), 60))


PYTHON = f"""interactions:
- request:
    body: '{{"q":"plain","stream":true}}'
    headers: &id001
      Authorization:
      - Bearer sk-secret
      Content-Type:
      - application/json
    method: POST
    uri: https://api.example/v1/chat/completions
  response:
    body:
      string: "event: delta\\ndata: {{\\"a\\":\\"\\xE9\\"}}\\n\\ndata: [DONE]\\n\\n"
    headers:
      Content-Type:
      - text/event-stream; charset=utf-8
      X-Odd: [a, b]
    status:
      code: 200
      message: OK
- request:
    body: !!binary |
{folded(b'{"q":"packed"}', 6)}
    headers: *id001
    method: POST
    uri: https://api.example/v1/chat/completions
  response:
    body:
      string: !!binary |
{folded(PACKED, 8)}
    headers:
      Content-Encoding:
      - gzip
      content-type:
      - text/event-stream
    status: {{code: 200, message: OK}}
- request:
    body: null
    headers: {{}}
    method: GET
    uri: https://api.example/v1/models?x=1
  response:
    body: {{string: '{{"data":[]}}'}}
    headers:
      Content-Type: [application/json]
      Content-Encoding: [gzip]
      Retry-After: ['7']
    status: {{code: 429, message: Too Many Requests}}
version: 1
"""

RUBY = f"""---
http_interactions:
- request:
    method: post
    uri: https://api.example/v1/messages
    body:
      encoding: UTF-8
      string: '{{"q":1}}'
    headers:
      Accept: ["*/*"]
  response:
    status:
      code: 200
      message: OK
    headers:
      Content-Type: text/event-stream
    body:
      encoding: ASCII-8BIT
      base64_string: |
{folded(STREAM.encode(), 8)}
  recorded_at: Sat, 28 Nov 2026 10:00:00 GMT
recorded_with: VCR 6.2.0
"""


def cassette(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("start", ["", "---\n", "# a comment\n\n---\n", "\ufeff", "version: 1\n"])
def test_a_cassette_of_vcrpy_is_played_as_it_was_recorded(sse, wire, tmp_path, start):
    text = PYTHON.replace("version: 1\n", "") if "version" in start else PYTHON
    url = sse.replay(cassette(tmp_path / "test_x.yaml", start + text)).url

    def chat(body):
        return wire.request(url + "v1/chat/completions", "POST", body=body)
    for question in (b'{"stream": true, "q": "plain"}', b'{"q":"packed"}'):
        answer = chat(question)
        assert answer.status == 200 and answer.header("content-encoding") is None
        assert answer.header("content-type").startswith("text/event-stream")
        assert answer.read_all().decode() == STREAM
    assert chat(b'{"q":"plain","stream":true}').all("x-odd") == ["a", "b"]
    assert chat(b'{"q":"other"}').status == 404
    answer = wire.get(url + "v1/models?x=1")
    assert (answer.status, answer.header("retry-after"), answer.read_all()) == (429, "7", b'{"data":[]}')


def test_a_cassette_of_vcr_becomes_a_recording(sse, wire, tmp_path):
    path = cassette(tmp_path / "ruby.yml", RUBY)
    ran = sse.run("replay", path, "--to", "jsonl")
    head, read = map(json.loads, ran.out.decode().splitlines())
    assert head["exact"] is True
    assert head["request"]["method"] == "POST" and head["request"]["body"] == '{"q":1}'
    assert head["url"] == "https://api.example/v1/messages"
    assert read == {"t": 0, "bytes": STREAM}
    (tmp_path / "a.jsonl").write_bytes(ran.out)
    assert wire.request(sse.replay(tmp_path).url + "v1/messages", "POST", body=b'{"q":1}').read_all().decode() == STREAM
    assert sse.run("replay", path, "--to", "sse").out.decode() == STREAM


def test_secrets_of_a_cassette_are_masked(sse, tmp_path):
    one = PYTHON[:PYTHON.index("- request:\n    body: !!binary")]
    ran = sse.run("replay", cassette(tmp_path / "a.yaml", one), "--to", "jsonl")
    assert json.loads(ran.out.splitlines()[0])["request"]["headers"]["Authorization"] == "***"


@pytest.mark.parametrize("old, new, why", [
    ("version: 1", "version: [", "not YAML"), ("    status:\n      code: 200", "    status:\n      code: x", "is not a status"),
    ("    uri: https://api.example/v1/models?x=1\n", "", "the request has no uri"),
    ("    method: POST\n", "", "the request has no method"), ("  response:", "  answer:", "needs a request and a response"),
    ("!!binary |\n", "!!binary |\n        ???\n", "not base64|not YAML"), ("*id001", "*id002", "not YAML"),
    (PYTHON, "interactions: []\n", "no interaction"), (PYTHON, "interactions: 7\n", "no interaction"),
    (PYTHON, "interactions: [7]\n", "not a map"), (PYTHON, "interactions: " + "[" * 100_000, "not YAML"),
    (PYTHON, "interactions:\n- " + "? " * 50_000, "not YAML|not a map|not a recording")],
    ids=lambda value: ascii(value)[:30])
def test_a_broken_cassette_is_refused_with_its_line(sse, tmp_path, old, new, why):
    path = cassette(tmp_path / "a.yaml", PYTHON.replace(old, new, 1))
    ran = sse.run("replay", path, "--stdout", "--no-wait")
    assert ran.status == 3
    first = ran.err.splitlines()[0]
    assert first.startswith(f"sse: error: {path}:")
    assert any(part in first for part in why.split("|")), first


def test_a_cassette_whose_aliases_or_codings_grow_without_end_is_refused(sse, tmp_path):
    many = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else 'lol'}]\n" for n in range(10))
    assert sse.run("replay", cassette(tmp_path / "a.yaml", PYTHON + many), "--info").status == 0  # is not followed
    big = "interactions:\n- &a\n  request: {method: GET, uri: /a}\n  response: {status: 200, body: '" + "x" * 2_000_000
    ran = sse.run("replay", cassette(tmp_path / "b.yaml", big + "'}\n" + "- *a\n" * 60), "--info")
    assert ran.status == 3 and "the cassette has more than 67108864 bytes" in ran.err
    bomb = b64(gzip.compress(b"x" * 70_000_000, 9))
    ran = sse.run("replay", cassette(tmp_path / "c.yaml", f"interactions:\n- request: {{method: GET, uri: /a}}\n  response: {{status: 200, headers: {{Content-Encoding: gzip}}, body: {{string: !!binary '{bomb}'}}}}\n"), "--info")
    assert ran.status == 3 and "the decoded body is larger than 67108864 bytes" in ran.err


# -- HAR

def har(path, content, *fields):
    entry = {"startedDateTime": "2026-11-28T10:00:00.000Z",
             "request": {"method": "POST", "url": "https://api.example/v1/chat", "headers": [],
                         "postData": {"mimeType": "application/json", "text": "{}"}},
             "response": {"status": 200, "headers": [{"name": n, "value": v} for n, v in fields],
                          "content": {"mimeType": "text/event-stream", **content}}}
    path.write_text(json.dumps({"log": {"_recordingName": "x", "version": "1.2", "entries": [entry]}}))
    return path


@pytest.mark.parametrize("content, coding", [
    ({"text": STREAM}, ""), ({"text": STREAM}, "gzip"), ({"text": b64(STREAM.encode()), "encoding": "base64"}, "gzip"),
    ({"text": b64(PACKED), "encoding": "base64"}, "gzip"),
    ({"text": json.dumps([b64(PACKED[:11]), b64(PACKED[11:])]), "encoding": "base64"}, "gzip"),
    ({"text": json.dumps([PACKED[:20].hex(), PACKED[20:].hex()]), "_isBinary": True}, "GZIP"),
    ({"text": PACKED.hex(), "_isBinary": True}, "gzip"),
    ({"text": json.dumps([b64(zlib.compress(STREAM.encode()))]), "encoding": "base64"}, "deflate")],
    ids=["text", "decoded, field kept", "decoded, base64", "base64", "chunks", "hex chunks", "hex", "deflate"])
def test_bodies_of_har_files_are_decoded(sse, tmp_path, content, coding):
    path = har(tmp_path / "a.har", content, *([("Content-Encoding", coding)] if coding else []))
    assert sse.run("replay", path, "--stdout").out.decode() == STREAM


@pytest.mark.parametrize("content, why", [
    ({"text": json.dumps(["AA==", "?"]), "encoding": "base64"}, "is not valid base64"),
    ({"text": "abc", "_isBinary": True}, "is not valid hexadecimal"),
    ({"text": json.dumps([1]), "encoding": "base64"}, "is not valid base64")])
def test_bodies_of_har_files_that_cannot_be_decoded_are_refused(sse, tmp_path, content, why):
    ran = sse.run("replay", har(tmp_path / "a.har", content), "--stdout")
    assert ran.status == 3 and why in ran.err
