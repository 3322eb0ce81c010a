"""Who may come in: tokens, hosts and origins, through the real binary."""
import pytest

TOKEN = "s3cr3t-reader-5d41402a"
PAGE = "https://app.example"
EVIL = "http://evil.example"


def token_file(tmp_path, text=TOKEN + "\n", mode=0o600, name="tokens"):
    path = tmp_path / name
    path.write_text(text)
    path.chmod(mode)
    return path


def held(sse, *args, **options):
    """A server of three events that stays."""
    return sse.serve("--on-eof", "hold", *args, input=b"1\n2\n3\n", **options)


def recording(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text('{"sse":1,"started":"2026-11-22T05:00:00.123Z"}\n{"t":0,"data":"1"}\n')
    return path


# ---- tokens ---------------------------------------------------------------------------------------

def test_with_a_token_file_only_those_with_a_token_read(sse, wire, tmp_path):
    path = token_file(tmp_path, f"# ours\n\nother\n{TOKEN}\n")
    server = held(sse, "--token-file", path)
    missing = wire.get(server.url)
    assert missing.status == 401 and missing.header("www-authenticate") == "Bearer"
    assert b"token is required to read" in missing.read_all()
    wrong = wire.get(server.url, headers={"Authorization": f"Bearer {TOKEN}x"})
    assert wrong.status == 401 and b"not valid to read" in wrong.read_all()
    for token in (TOKEN, "other"):
        right = wire.get(server.url, headers={"Authorization": f"Bearer {token}"})
        assert [e.data for e in right.events(3)] == ["1", "2", "3"]
    by_query = wire.get(server.url + f"?access_token={TOKEN}")
    assert by_query.status == 200 and len(by_query.events(3)) == 3
    assert wire.request(server.url, "POST", body=b"x").status == 401


def test_the_environment_may_name_the_token_and_a_file_goes_first(sse, wire, tmp_path):
    server = held(sse, env={"SSE_TOKEN": TOKEN})
    assert wire.get(server.url).status == 401
    assert wire.get(server.url, headers={"Authorization": f"Bearer {TOKEN}"}).status == 200
    path = token_file(tmp_path, "other\n")
    server = held(sse, "--token-file", path, env={"SSE_TOKEN": TOKEN})
    assert wire.get(server.url, headers={"Authorization": f"Bearer {TOKEN}"}).status == 401
    assert wire.get(server.url, headers={"Authorization": "Bearer other"}).status == 200
    assert wire.get(held(sse, env={"SSE_TOKEN": ""}).url).status == 200


def test_replay_asks_for_tokens_too(sse, wire, tmp_path):
    server = sse.replay(recording(tmp_path), "--token-file", token_file(tmp_path))
    assert wire.get(server.url).status == 401
    assert wire.get(server.url + f"?access_token={TOKEN}").status == 200


def test_a_token_is_in_nothing_that_the_server_says(sse, wire, tmp_path):
    server = held(sse, "--token-file", token_file(tmp_path, mode=0o644))
    answers = [wire.get(server.url + f"?access_token={TOKEN}"),
               wire.get(server.url + f"none?access_token={TOKEN}"),
               wire.get(server.url + f"?access_token={TOKEN}x"),
               wire.request(server.url, f"BREW{TOKEN}", headers={"Authorization": f"Bearer {TOKEN}"}),
               wire.get(server.url, headers={"Authorization": f"Bearer {TOKEN}\x01"})]
    assert [a.status for a in answers] == [200, 404, 401, 405, 400]
    for answer in answers:
        body = answer.read_all() if answer.status != 200 else b""
        assert TOKEN.encode() not in answer.head + body
    server.signal(15)
    server.wait()
    assert TOKEN not in server.stderr.text() and TOKEN.encode() not in server.stdout.bytes
    assert f"warning: {tmp_path}/tokens contains tokens, and every user can read it" \
        in server.stderr.text()


@pytest.mark.parametrize("text, what", [
    ("# nothing\n\n", "{} contains no token"),
    ("fine\nhas a space\n", "{}:2: a token contains a space"),
    (None, "cannot read the token file {}: No such file"),
])
def test_a_token_file_that_cannot_be_used_is_two_lines(sse, tmp_path, text, what):
    path = token_file(tmp_path, text) if text is not None else tmp_path / "none"
    result = sse.run("serve", "--listen", "127.0.0.1:0", "--token-file", path)
    error, hint = result.err.splitlines()
    assert error.startswith("sse: error: " + what.format(path)) and hint.startswith("sse: hint: ")
    assert result.status in (3, 23) and "has a space here" not in result.err


# ---- hosts and origins ----------------------------------------------------------------------------

def test_a_rebound_name_reads_nothing_from_a_loopback_listener(sse, wire):
    server = held(sse, "--allow-host", "app.example")
    port = server.url.rstrip("/").rsplit(":", 1)[1]
    for host, status in [("evil.example", 403), (f"evil.example:{port}", 403),
                         (f"localhost:{port}", 200), ("App.Example:1", 200)]:
        assert wire.get(server.url, headers={"Host": host}).status == status, host
    absolute = wire.request(server.url, target="http://evil.example/", headers={"Host": "localhost"})
    assert absolute.status == 403


def test_without_cors_no_page_of_another_origin_reads_and_no_header_invites_it(sse, wire):
    server = held(sse)
    foreign = wire.get(server.url, headers={"Origin": EVIL})
    assert foreign.status == 403
    assert wire.get(server.url, headers={"Origin": "null"}).status == 403
    own = wire.get(server.url, headers={"Origin": server.url.rstrip("/")})
    options = wire.request(server.url, "OPTIONS")
    assert (own.status, options.status) == (200, 204)
    assert options.header("allow") and not options.header("access-control-max-age")
    for answer in (foreign, own, options):
        assert not [n for n, _ in answer.headers if n.lower().startswith("access-control")]


def test_cors_lets_the_pages_of_the_named_origins_in(sse, wire):
    server = held(sse, "--cors", PAGE, "--cors", "http://localhost:5173")
    for origin in (PAGE, "http://localhost:5173"):
        answer = wire.get(server.url, headers={"Origin": origin, "Last-Event-ID": "gone"})
        assert answer.status == 200 and answer.header("sse-gap") == "true"
        assert answer.all("access-control-allow-origin") == [origin]
        assert answer.header("access-control-expose-headers") == "Sse-Gap"
        assert "Origin" in answer.all("vary")
        assert answer.header("access-control-allow-credentials") is None
    for origin in (EVIL, "null", PAGE + ".evil.example"):
        answer = wire.get(server.url, headers={"Origin": origin})
        assert answer.status == 403 and answer.header("access-control-allow-origin") is None
    assert "Origin" in wire.get(server.url).all("vary")


def test_cors_answers_a_preflight_without_a_token_and_says_401_to_the_page(sse, wire, tmp_path):
    server = held(sse, "--cors", PAGE, "--token-file", token_file(tmp_path))
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "last-event-id,authorization"}
    preflight = wire.request(server.url, "OPTIONS", headers=asks)
    assert preflight.status == 204 and preflight.header("access-control-allow-origin") == PAGE
    assert "Last-Event-ID" in preflight.header("access-control-allow-headers")
    assert "Authorization" in preflight.header("access-control-allow-headers")
    assert int(preflight.header("access-control-max-age")) > 0
    refused = wire.get(server.url, headers={"Origin": PAGE})
    assert refused.status == 401 and refused.header("access-control-allow-origin") == PAGE
    other = wire.request(server.url, "OPTIONS", headers={**asks, "Origin": EVIL})
    assert other.status == 403


@pytest.mark.parametrize("args, what", [
    (["--cors", "*", "--cors", PAGE], "--cors * cannot be combined with other origins"),
    (["--cors", PAGE + "/x"], "is not an origin"),
    (["--cors", "null"], "null cannot be allowed"),
    (["--allow-host", "http://x"], "is not a host name"),
    (["--allow-host", "*.example.com"], "is not a host name"),
    (["--cors", "*", "--cors-credentials"], "--cors-credentials needs exact origins"),
    (["--cors-credentials"], "--cors-credentials needs exact origins"),
    (["--cors-header", "X-Id"], "--cors-header needs --cors"),
    (["--cors", PAGE, "--cors-header", "a b"], "is not the name of a header field"),
    (["--trusted-proxy", "10.0.0.0/33"], "is neither a network"),
    (["--busy", "no"], '"no" is not one of 503|retry'),
    (["--retry", "6s..3s"], 'the range "6s..3s" ends before it begins'),
    (["--header", "X"], "is not 'Name: value'"),
])
def test_access_flags_that_make_no_sense_are_two_lines(sse, args, what):
    result = sse.run("serve", "--listen", "127.0.0.1:0", *args)
    error, hint = result.err.splitlines()
    assert result.status == 2 and what in error and hint.startswith("sse: hint: ")


def test_over_loopback_a_listener_on_all_networks_is_a_loopback_listener(sse, wire):
    server = held(sse, "--listen", "0.0.0.0:0", "--publish", "-", "--allow-host", ".app.example")
    url = server.url.replace("0.0.0.0", "127.0.0.1")
    for host, status in (("evil.example", 403), ("127.0.0.1", 200), ("a.app.example", 200)):
        assert wire.get(url, headers={"Host": host}).status == status
    evil = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert wire.request(url, "POST", headers=evil, body=b"x").status == 403
    assert wire.get(url, headers={"Origin": EVIL}).status == 403


def test_what_a_page_of_another_site_embeds_is_refused(sse, wire):
    server = held(sse)
    image = wire.get(server.url, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})
    assert image.status == 403 and image.header("cross-origin-resource-policy") == "same-origin"
    link = wire.get(server.url, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
    assert link.status == 200 and link.header("cross-origin-resource-policy") == "same-origin"


def test_pages_of_named_origins_may_send_credentials_and_further_fields(sse, wire):
    server = held(sse, "--cors", PAGE, "--cors-credentials", "--cors-header", "X-Id")
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    preflight = wire.request(server.url, "OPTIONS", headers=asks)
    assert preflight.header("access-control-allow-credentials") == "true"
    assert preflight.header("access-control-allow-headers").endswith(", X-Id")
    answer = wire.get(server.url, headers={"Origin": PAGE})
    assert answer.header("access-control-allow-credentials") == "true"


def test_tokens_are_read_again_on_sighup(sse, wire, tmp_path):
    path = token_file(tmp_path, "old\n")
    server = held(sse, "--token-file", path)
    path.write_text("new\n")
    server.signal(1)
    server.stderr.wait_for("^sse: note: reloaded the tokens$")
    assert wire.get(server.url + "?access_token=old").status == 401
    assert wire.get(server.url + "?access_token=new").status == 200
    path.write_text("")
    server.signal(1)
    server.stderr.wait_for("^sse: warning: .* contains no token; keeping the previous tokens$")
    assert wire.get(server.url + "?access_token=new").status == 200
