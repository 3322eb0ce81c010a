"""sse tail: the way out of an error is one that helps when it is typed: nothing that was given already."""
import pytest

from support.steps import FAST, answers, closes, events, script


def cut(c):
    events(f"{FAST}data: x\n\n", end=False)(c)


AGAIN = "--retries allows more failures in a row, and without it there is no end to them"


@pytest.mark.parametrize("steps, args, hint", [
    ([closes], [], "--retry-connect tries again until the stream opens"),
    ([closes], ["--retry-connect", "--retry", "1ms", "--retries", "1"], AGAIN),
    ([cut], ["--no-reconnect"], "without --no-reconnect it connects again"),
    ([cut], ["-d", "x"], "--reconnect connects again"),
    ([cut, closes], ["--retries", "0"], AGAIN),
    ([answers("503 Busy")], [], "--retry-connect tries again until the stream opens"),
    ([answers("503 Busy")], ["--retry-connect", "--retries", "1", "--retry", "1ms", "--retry-max", "1ms"], AGAIN),
    ([cut, answers("503 Busy")], ["--retries", "0"], AGAIN),
    ([answers("401 No")], [], "if it wants credentials, give them with -u, --bearer or -H"),
    ([answers("401 No")], ["-u", "a:b"], "the server does not take the credentials it was given: check them"),
    ([answers("403 No")], ["-H", "Cookie: a"], "the server does not take the credentials it was given: check them"),
    ([answers("405 No")], [], "another method may be wanted: -X, or -d or --json to POST"),
    ([answers("405 No")], ["-d", "x"], "another method may be wanted: without -X, -d and --json it is GET"),
    ([answers("200 OK", "x", "Content-Encoding: zstd", content_type="text/event-stream")], ["--compressed"],
     "-H 'Accept-Encoding: identity' asks for none"),
    ([answers("302 Found", "", "Location: /")], [], "-v shows where each redirect leads"),
    ([lambda c: c.send("SSH-2.0-x\r\n")], [], "check the port in the URL, and whether it is https"),
    ([answers("200 OK", "x", "Content-Encoding: gzip", content_type="text/event-stream")], ["--compressed", "--no-reconnect"],
     "leave --compressed out, and it comes as it is"),
    ([lambda c: c.send("HTTP/1.1 200 OK\r\nX: " + "x" * 70_000)], [], "curl -iN shows the whole answer"),
    ([events("data: " + "x" * 2000)], ["--max-event-bytes", "1kb"],
     "raise --max-event-bytes if the stream is to be trusted"),
], ids=lambda v: " ".join(v) if isinstance(v, list) and all(isinstance(x, str) for x in v) else "")
def test_no_hint_offers_what_was_given(sse, origin, steps, args, hint):
    tail = sse.run("tail", script(origin, *steps).url, *args)
    error, said = tail.err.splitlines()
    assert tail.status in (3, 22, 56) and error.startswith("sse: error: ")
    assert said == "sse: hint: " + hint


@pytest.mark.parametrize("args, hint", [
    (["http://127.0.0.1:1/"], "check the address, or wait for the server with --retry-connect"),
    (["http://127.0.0.1:1/", "--retry-connect", "--retries", "0"], "check that the server runs; " + AGAIN),
    (["http://x/", "--unix-socket", "/no/such/socket"], "check the path of --unix-socket, and that its server runs"),
    (["http://x.invalid/"], "check the host's name in the URL"),
    (["http://x.invalid/", "-4"],
     "check the host's name in the URL, and whether it has such an address: leave -4 and -6 out"),
    (["http://x/", "--resolve", "x:80:y.invalid"], "--resolve takes an address, as HOST:PORT:127.0.0.1"),
    (["http://x/", "-x", "http://127.0.0.1:1"],
     "-x names another proxy, -x '' none, whatever the environment says"),
])
def test_where_nobody_is_reached(sse, args, hint):
    tail = sse.run("tail", *args)
    assert tail.status in (6, 7)
    assert tail.err.splitlines()[1] == "sse: hint: " + hint


def test_a_post_of_replay_is_offered_flags_of_replay(sse, origin, tmp_path):
    recording = tmp_path / "r.sse"
    recording.write_text("data: x\n\n")
    posted = sse.run("replay", recording, "--post", origin(answers("401 No")).url)
    assert posted.status == 22
    assert posted.err.splitlines()[-1] == "sse: hint: --header 'Authorization: ...' says who posts"
