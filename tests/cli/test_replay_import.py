"""What other programs have recorded, played by sse replay: cassettes of VCR and vcrpy, HAR files of Polly and of
mitmproxy."""
import base64
import gzip
import json
import zlib

import pytest
from support.record import files

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


def test_another_user_could_not_read_the_copy_of_a_cassette(sse, tmp_path):
    ran = sse.run("replay", "--listen", "127.0.0.1:0", "--user", "nobody", cassette(tmp_path / "ruby.yml", RUBY))
    assert (ran.status, ran.err.splitlines()[0]) == (
        2, "sse: error: --user cannot be combined with a pipe, a HAR file, a cassette or a store")


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


HTTPX = """interactions:
- request:
    body: '{"q": "\\u00e9"}'
    headers:
      content-type:
      - application/json
    method: POST
    uri: https://api.example/v1/chat
  response:
    content: "event: delta\\ndata: {\\"a\\":\\"\\xE9\\"}\\n\\ndata:
      [DONE]\\n\\n"
    headers:
      Content-Encoding:
      - gzip
      Content-Type:
      - text/event-stream
    http_version: HTTP/1.1
    status_code: 207
version: 1
"""


def test_a_response_to_httpx_has_names_of_its_own(sse, tmp_path):
    """vcrpy before version 6."""
    head, read = map(json.loads, sse.run("replay", cassette(tmp_path / "a.yaml", HTTPX), "--to", "jsonl").out.splitlines())
    assert (head["response"]["status"], read["bytes"]) == (207, STREAM)


@pytest.mark.parametrize("written, read", [
    ("'data: é\n\n\n        data: [DONE]\n\n\n        '", "data: é\n\ndata: [DONE]\n\n"),
    ("'data: it''s\n\n\n        '", "data: it's\n\n"), ("'a\n        '", "a "), ("'a\n\n        '", "a\n"),
    ("'\n\n\n\n        '", "\n\n\n"), ('"a\\n\\n"', "a\n\n"), ("|+\n        data: a\n", "data: a\n\n"),
    ("|\n        data: a\n\n", "data: a\n"), ("!!str 'a\n\n        '", "a\n")], ids=ascii)
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["", "BOM"])
def test_a_text_keeps_the_line_breaks_at_its_end(sse, tmp_path, written, read, start):
    """PyYAML puts a text without special characters in single quotes."""
    text = f"interactions:\n- request:\n    method: GET\n    uri: /é\n  response:\n    status: 200\n    body:\n      string: {written}\n"
    ran = sse.run("replay", cassette(tmp_path / "a.yaml", start + text), "--to", "jsonl")
    assert [json.loads(line)["bytes"] for line in ran.out.splitlines()[1:]] == [read]


@pytest.mark.parametrize("body, coding", [(STREAM.encode(), ""), (PACKED, "gzip")])
def test_the_tag_that_ruby_gives_to_base64_is_known(sse, tmp_path, body, coding):
    text = RUBY.replace("base64_string: |\n" + folded(STREAM.encode(), 8), "string: !binary |-\n" + folded(body, 8))
    if coding:
        text = text.replace("Content-Type: text", "Content-Encoding:\n      - gzip\n      Content-Type: text")
    assert "!binary" in text
    assert sse.run("replay", cassette(tmp_path / "a.yml", text), "--to", "sse").out.decode() == STREAM


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


def cassette_of(bodies, coding="gzip"):
    """A cassette whose interaction number N, from 1, has the path /N and that body, in base64."""
    return "interactions:\n" + "".join(
        f"- request: {{method: GET, uri: 'https://api.example/{number}'}}\n  response:\n    status: 200\n"
        f"    headers: {{Content-Encoding: {coding}, Content-Type: text/event-stream}}\n"
        f"    body: {{string: !!binary '{b64(body)}'}}\n" for number, body in enumerate(bodies, 1))


def test_a_damaged_body_is_told_with_its_place_and_kept_up_to_the_damage(sse, wire, tmp_path):
    many = "".join(f"data: {n}\n\n" for n in range(5000)).encode()
    packed = gzip.compress(many, mtime=0)
    path = cassette(tmp_path / "a.yaml", cassette_of([PACKED, packed[:-2000], PACKED[:-8] + b"bad crc!"]))
    server = sse.replay(path)
    got = wire.get(server.url + "2").read_all()
    assert 0 < len(got) < len(many) and many.startswith(got)
    assert wire.get(server.url + "1").read_all().decode() == STREAM
    assert wire.get(server.url + "3").read_all().decode() == STREAM
    told = [line for line in server.stderr.text().splitlines() if "warning" in line]
    assert told == [f"sse: warning: {path}:{line}: {why}; only the {decoded} bytes before the damage were decoded"
                    for line, why, decoded in ((9, "the gzip body is incomplete", len(got)),
                                               (14, "the gzip body is corrupt: incorrect data check", len(STREAM.encode())))]


@pytest.mark.parametrize("coding, body, damaged", [
    ("gzip", STREAM.encode(), False), ("gzip", b"\x89PNG\r\n", False), ("br", STREAM.encode(), False),
    ("deflate", zlib.compress(STREAM.encode())[:-3], True), ("br", b"\x8b\xff\xff\xff", True)])
def test_a_body_that_was_decoded_before_is_no_damaged_one(sse, tmp_path, coding, body, damaged):
    ran = sse.run("replay", cassette(tmp_path / "a.yaml", cassette_of([body], coding)), "--to", "jsonl")
    assert ran.status == 0 and ("before the damage" in ran.err) is damaged
    if not damaged:
        read = json.loads(ran.out.splitlines()[1])
        assert (base64.b64decode(read["base64"]) if "base64" in read else read["bytes"].encode()) == body


def test_a_cassette_of_too_many_values_is_refused_before_it_takes_memory(sse, tmp_path):
    path = cassette(tmp_path / "a.yaml", "interactions:\n- [" + "a," * 1_000_000 + "]\n")
    ran = sse.run("replay", path, "--info")
    assert (ran.status, ran.err.splitlines()[0]) == (3, f"sse: error: {path}:2: the cassette has more than 1000000 values")


def test_a_cassette_of_several_interactions_becomes_a_directory_that_replays(sse, wire, tmp_path):
    items = PYTHON.removeprefix("interactions:\n").removesuffix("version: 1\n")
    path = cassette(tmp_path / "a.yaml", "interactions:\n" + items + items.replace("[DONE]", "[AGAIN]"))
    made = tmp_path / "made/here"
    for _ in range(2):  # the same again
        ran = sse.run("replay", path, "--to", "jsonl", "--output-dir", made)
        assert (ran.status, ran.out, ran.err) == (0, b"", "")
        assert [name.rpartition("-")[2] for name in files(made)] == ["0001.jsonl", "0002.jsonl"] * 3
    assert files(made)[0].startswith("GET-v1-models-") and files(made)[2].startswith("POST-v1-chat-completions-")
    assert b"sk-secret" not in b"".join(p.read_bytes() for p in made.iterdir())
    url = sse.replay(made).url
    ends = [wire.request(url + "v1/chat/completions", "POST", body=b'{"stream": true, "q": "plain"}').events()[-1].data
            for _ in range(3)]
    assert ends == ["[DONE]", "[AGAIN]", "[AGAIN]"]
    answer = wire.get(url + "v1/models?x=1")
    assert (answer.status, answer.header("retry-after"), answer.read_all()) == (429, "7", b'{"data":[]}')


@pytest.mark.parametrize("flags, status, err", [
    (["--to", "sse", "--output-dir", "x"], 2, "--output-dir needs --to jsonl"),
    (["--output-dir", "x"], 2, "--output-dir needs --to jsonl"),
    (["--to", "jsonl", "--output-dir", "/dev/null/x"], 23, "cannot create /dev/null/x"),
    (["--to", "jsonl", "--output-dir", "."], 2, "is in the directory of --output-dir")])
def test_directories_that_cannot_be_written(sse, tmp_path, flags, status, err):
    cassette(tmp_path / "a.yaml", RUBY)
    sse.run("replay", "a.yaml", "--to", "jsonl", "--output-dir", "r", cwd=tmp_path)
    one = tmp_path / "r" / files(tmp_path / "r")[0]
    ran = sse.run("replay", one, *flags, cwd=tmp_path / "r")
    assert ran.status == status and err in ran.err, ran.err
    assert one.exists()


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


@pytest.mark.parametrize("creator, mime, text, read", [
    ("mitmproxy", "text/event-stream", "é豆".encode().decode("latin-1"), "é豆"),
    ("mitmproxy har_dump", "text/event-stream", "é".encode().decode("latin-1"), "é"),
    ("mitmproxy", "text/event-stream; charset=utf-8", "Ã©", "Ã©"), ("mitmproxy", "text/event-stream", "é", "é"),
    ("mitmproxy", "text/event-stream", "豆", "豆"), ("WebInspector", "text/event-stream", "Ã©", "Ã©"),
    ("mitmproxy", "application/x-ndjson", "Ã©", "Ã©"),
    ("mitmproxy", "text/event-stream; charset=utf-8", "\udce9\U0001F480\\udce9", "\ufffd\U0001F480\\udce9")], ids=ascii)
def test_what_mitmproxy_decoded_by_its_own_rules_is_undone(sse, tmp_path, creator, mime, text, read):
    """Without a charset, it reads UTF-8 as ISO 8859-1; and it writes a byte that it cannot decode as half a pair."""
    entry = mitmproxy_entry("/v1/chat", "2026-11-28T10:00:00+00:00", "é".encode().decode("latin-1"), mime, f"data: {text}\n\n")
    entry["request"]["postData"]["mimeType"] = "text/plain"
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "creator": {"name": creator}, "entries": [entry]}}))
    ran = sse.run("replay", path, "--to", "jsonl")
    head, event = map(json.loads, ran.out.splitlines())
    assert (event["data"], ran.err) == (f"data: {read}" if "ndjson" in mime else read, "")
    assert head["request"]["body"] == ("é" if creator.startswith("mitm") else "Ã©")


def test_a_zhar_file_is_inflated(sse, tmp_path):
    path = tmp_path / "a.zhar"
    path.write_bytes(zlib.compress(har(tmp_path / "a.har", {"text": STREAM}).read_bytes(), 9))
    assert sse.run("replay", path, "--to", "sse").out.decode() == STREAM


def test_a_body_that_mitmproxy_has_not_kept_is_told(sse, tmp_path):
    entry = mitmproxy_entry("/v1/chat", "2026-11-28T10:00:00+00:00", "{}", "text/event-stream", "")
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"creator": {"name": "mitmproxy"}, "entries": [entry]}}))
    assert sse.run("replay", path, "--to", "jsonl").err == (
        f"sse: warning: {path}: entry 1: the body is empty; mitmproxy keeps no body that it streams, unless "
        "store_streamed_bodies is set\n")


def mitmproxy_entry(target, started, body, content_type, text, *fields):
    """An entry as the command save.har and the option hardump write it: a decoded body, beside the header fields as
    they were sent."""
    headers = [{"name": "content-type", "value": content_type}, *({"name": n, "value": v} for n, v in fields)]
    binary = isinstance(text, bytes)
    return {
        "startedDateTime": started, "time": 120.5,
        "request": {"method": "POST", "url": f"https://api.example{target}", "httpVersion": "HTTP/2.0", "cookies": [],
                    "headers": [{"name": "authorization", "value": "Bearer sk-secret"},
                                {"name": "content-type", "value": "application/json"}],
                    "queryString": [], "headersSize": 90, "bodySize": len(body),
                    "postData": {"mimeType": "application/json", "text": body, "params": []}},
        "response": {"status": 200, "statusText": "", "httpVersion": "HTTP/2.0", "cookies": [], "headers": headers,
                     "content": {"size": 80, "compression": 12, "mimeType": content_type,
                                 "text": b64(text) if binary else text, **({"encoding": "base64"} if binary else {})},
                     "redirectURL": "", "headersSize": 120, "bodySize": 80},
        "cache": {}, "timings": {"connect": 10.1, "ssl": -1.0, "send": 0.5, "receive": 100.0, "wait": 9.9},
        "serverIPAddress": "192.0.2.1"}


def test_streams_that_mitmproxy_saved_are_played(sse, wire, tmp_path):
    stream = "text/event-stream; charset=utf-8"
    entries = [
        mitmproxy_entry("/v1/chat", "2026-11-28T10:00:00.123456+00:00", '{"q":1}', stream, STREAM, ("content-encoding", "gzip")),
        mitmproxy_entry("/v1/models", "2026-11-28T10:00:01+00:00", "{}", "application/json", "{}"),
        mitmproxy_entry("/v1/chat", "2026-11-28T10:00:02+00:00", '{"q":2}', stream, b"data: \x00\x01\x02\n\n")]
    path = tmp_path / "flows.har"
    path.write_text(json.dumps({"log": {
        "version": "1.2", "creator": {"name": "mitmproxy har_dump", "version": "0.1", "comment": "mitmproxy version 8.1.1"},
        "pages": [], "entries": entries}}, indent=4))
    url = sse.replay(path).url
    answers = [wire.request(url + "v1/chat", "POST", body=b"{}") for _ in range(2)]
    assert [a.read_all() for a in answers] == [STREAM.encode(), b"data: \x00\x01\x02\n\n"]
    assert answers[0].header("content-encoding") is None
    ran = sse.run("replay", path, "--to", "jsonl", "--output-dir", tmp_path / "made")
    assert (ran.status, ran.err, len(files(tmp_path / "made"))) == (0, "", 2)
    first = (tmp_path / "made" / files(tmp_path / "made")[0]).read_text()
    assert "sk-secret" not in first and json.loads(first.splitlines()[0])["url"] == "https://api.example/v1/chat"
    matched = sse.replay(tmp_path / "made", "--match-body").url
    assert wire.request(matched + "v1/chat", "POST", body=b'{"q": 1}').read_all() == STREAM.encode()
