"""The tests' own tools: the reference parser against the conformance cases, the wire against an
origin, and the commands' common manners."""
import base64
import json
from pathlib import Path

import pytest
from support.eventstream import EventStream
from support.wire import Cut

CASES = Path(__file__).parent.parent / "conformance" / "cases.jsonl"


def small_cases():
    # not splitlines(): it ends lines at U+2028, as many an event-stream client did
    cases = map(json.loads, CASES.read_bytes().strip().split(b"\n"))
    return [c for c in cases if not c.get("input_gen")]


def test_the_reference_parser_reads_the_conformance_cases():
    for case in small_cases():
        wire = base64.b64decode(case["input_b64"])
        for size in (1, 3, len(wire) or 1):
            stream = EventStream(case.get("initial_last_event_id", ""))
            for at in range(0, len(wire), size):
                stream.feed(wire[at:at + size])
            got = [{"event": e.event, "data": e.data, "id": e.id} for e in stream.events]
            assert got == case["expect"], case["name"]
            assert stream.retry == case.get("retry", stream.retry), case["name"]
            assert stream.comments == case.get("comments", stream.comments), case["name"]


def test_the_wire_reads_chunks_and_tells_a_cut_from_an_end(origin, wire):
    def handler(connection):
        connection.head()
        connection.chunk("data: 1\n\n")
        connection.chunk("data: 2\n\n")
        if connection.request.target == "/whole":
            connection.end()

    server = origin(handler)
    whole = wire.get(server.url + "whole")
    assert [e.data for e in whole.events()] == ["1", "2"] and whole.ended
    cut = wire.get(server.url + "cut")
    with pytest.raises(Cut):
        cut.events()
    assert [r.target for r in server.requests] == ["/whole", "/cut"]


def test_version_names_the_program(sse):
    result = sse.run("--version")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith(b"sse ") and result.out.count(b"\n") >= 1


@pytest.mark.parametrize("args", [["--no-such-flag"], ["no-such-command"], []])
def test_a_wrong_command_line_is_two_lines_and_status_2(sse, args):
    result = sse.run(*args)
    assert result.status == 2 and result.out == b""
    error, hint = result.err.splitlines()
    assert error.startswith("sse: error: ") and hint.startswith("sse: hint: ")
