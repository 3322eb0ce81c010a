"""Events and bytes a second of the parser, beside a bare memchr() walk over the same lines and npm's
eventsource-parser: on the same bytes, which TextDecoder makes strings of as clients have it do, and on
strings that were made before its clock runs."""
import json
import subprocess
import tempfile
from pathlib import Path

from bench.measure import Row, npm, on, CLIENT

PEER = """
import {readFileSync} from 'node:fs';
import {createParser} from 'eventsource-parser';
const [path, piece] = [process.argv[2], Number(process.argv[3])];
const bytes = readFileSync(path);
const text = process.argv[4] === 'strings' ? new TextDecoder().decode(bytes) : null;
let best = Infinity, events = 0;
for (let round = 0; round < 40; ++round) {
    events = 0;
    const parser = createParser({onEvent: () => { ++events; }});
    const decoder = new TextDecoder();
    const start = process.hrtime.bigint();
    const size = piece || bytes.length;
    for (let at = 0; at < bytes.length; at += size)
        parser.feed(text === null ? decoder.decode(bytes.subarray(at, at + size), {stream: true})
                                  : text.slice(at, at + size));
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
}
console.log(JSON.stringify({events, seconds: best}));
"""


def peer_seconds(folder, found, of):
    """`of`: bytes or strings."""
    out = subprocess.run(on(CLIENT, "node", "peer.mjs", found["input"], str(found["piece"]), of), cwd=folder,
                         capture_output=True, text=True, check=True).stdout
    told = json.loads(out)
    assert told["events"] == found["events"]
    return told["seconds"]


def rows(setting):
    with tempfile.TemporaryDirectory() as folder:
        have_peer = not setting.short and npm(folder, "eventsource-parser")
        Path(folder, "peer.mjs").write_text(PEER, encoding="utf-8")
        out = subprocess.run(on(CLIENT, setting.tool("sse_parser"), folder, "1" if setting.short else "2"),
                             capture_output=True, text=True, check=True).stdout
        for found in map(json.loads, out.splitlines()):
            millions = found["events"] / 1e6
            lines = "one line" if found["lines"] == 1 else f"{found['lines']} lines"
            pieces = "whole" if found["piece"] == 0 else f"in pieces of {found['piece']}"
            what = (f"parser: {found['bytes']:,} bytes in {lines}, {pieces} "
                    f"({found['size'] / found['seconds'] / 1e9:.2f} GB/s)")
            target = found["bytes"] == 200 and found["lines"] == 1 and found["piece"] == 0
            row = Row(what, millions / found["seconds"], "M events/s", "memchr walk", millions / found["walk"])
            yield row.within(least=0.5) if target else row
            for of in ("bytes", "strings") if have_peer else ():
                row = Row(what, millions / found["seconds"], "M events/s", f"eventsource-parser of {of}",
                          millions / peer_seconds(folder, found, of))
                yield row.within(least=1.5) if target and of == "bytes" else row
