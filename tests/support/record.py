"""`sse record` before an origin, and what it has written."""
import json


def record(sse, upstream, directory, *flags, **options):
    """A running `sse record`; `url` is where it listens, `directory` where it records."""
    process = sse.serve(upstream, directory, *flags, command="record", **options)
    process.directory = directory
    return process


def files(directory):
    return sorted(p.name for p in directory.iterdir())


def lines(path):
    """The objects of a recording, all but an incomplete last line."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def only(directory):
    """The lines of the only recording there is."""
    names = files(directory)
    assert len(names) == 1, names
    return lines(directory / names[0])


def body(records):
    """The recorded bytes of the response."""
    import base64
    return b"".join(r["bytes"].encode() if "bytes" in r else base64.b64decode(r["base64"])
                    for r in records if "bytes" in r or "base64" in r)
