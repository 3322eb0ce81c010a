"""Recordings, made by hand."""
import json

HEAD = '{"sse":1,"started":"2026-11-22T05:00:00.123Z","tool":"test"}\n'


def recording(path, *lines, head=HEAD):
    """Writes a recording whose lines are dicts, or text as it is; returns its path. `head` is the
    first line: text, or what a dict adds to it."""
    if isinstance(head, dict):
        head = json.dumps({"sse": 1, **head}) + "\n"
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + text)
    return path


def recorded(method, url, body=None, status=200, **headers):
    """What a first line says of a request and its answer."""
    request = {"method": method, "headers": {}}
    if body is not None:
        request["body"] = body
    return {"url": url, "request": request, "response": {"status": status, "headers": headers}}
