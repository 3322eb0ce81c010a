"""sse tail: an error ends with a hint that works when it is typed. All hints are a table of
tests/unit/client_hints_test.cpp."""
from support.steps import closes, script


def test_an_error_has_a_hint_below_it(sse, origin):
    tail = sse.run("tail", script(origin, closes).url)
    assert tail.status == 56
    assert tail.err == ("sse: error: the server closed the connection without a response\n"
                        "sse: hint: use --retry-connect to keep trying until the stream opens\n")


def test_a_reason_that_the_library_gives_reaches_the_hint(sse):
    tail = sse.run("tail", "http://x/", "--resolve", "x:80:y.invalid")
    assert tail.status == 6
    assert tail.err.splitlines()[1] == "sse: hint: give --resolve an IP address, as HOST:PORT:127.0.0.1"


def test_a_post_of_replay_is_offered_flags_of_replay(sse, origin, tmp_path):
    recording = tmp_path / "r.sse"
    recording.write_text("data: x\n\n")
    posted = sse.run("replay", recording, "--post", script(origin, lambda c: c.answer("401 No")).url)
    assert posted.status == 22
    assert posted.err.splitlines()[-1].startswith("sse: hint: check the URL of --post; ")
