"""nginx at the other end, and nginx in between."""
import pytest

pytestmark = pytest.mark.release

# Prints an event and flushes it; the next only when the file `N` is there, so that an event which
# is held back anywhere on the way is never seen.
LUA = """
    location /sse {{
        default_type text/event-stream;
        content_by_lua_block {{
            for n = 1, 3 do
                ngx.print("id: ", n, "\\ndata: event ", n, "\\n\\n")
                ngx.flush(true)
                repeat
                    ngx.sleep(0.01)
                    local gate = io.open("{gates}/" .. n)
                    if gate then gate:close() end
                until gate
            end
        }}
    }}
"""


def test_tail_prints_each_event_of_a_lua_handler_as_it_comes(sse, nginx, tmp_path):
    origin = nginx(LUA.format(gates=tmp_path))
    tail = sse.start("tail", "--no-reconnect", origin.url + "sse")
    for n in range(1, 4):
        tail.stdout.wait_for(rf"\Aevent 1\n(.*\n)*event {n}\n\Z" if n > 1 else r"\Aevent 1\n\Z")
        (tmp_path / str(n)).touch()
    assert tail.wait() == 0 and tail.stdout.text() == "event 1\nevent 2\nevent 3\n"


def test_nginx_with_its_default_buffering_passes_events_at_once(sse, nginx):
    server = sse.serve("--allow-host", "example.org")
    proxy = nginx(f"location / {{ proxy_pass {server.url}; }}")
    curl = sse.start_program("curl", "-sSN", proxy.url)
    tail = sse.start("tail", proxy.url)
    for n in range(1, 4):
        server.write(f"{n}\n")
        curl.stdout.wait_for(rf"^data: {n}\nid: .*\n\n")
        tail.stdout.wait_for(rf"^{n}\n")
    server.close_stdin()
    assert curl.wait() == 0
    assert server.wait() == 0


def test_nginx_does_buffer_where_the_header_is_hidden(sse, nginx):
    """The test above is worth something: without X-Accel-Buffering nginx holds events back."""
    server = sse.serve("--wait-clients", "2")
    proxy = nginx(f"location / {{ proxy_pass {server.url};"
                  f" proxy_ignore_headers X-Accel-Buffering; }}")
    curl = sse.start_program("curl", "-sSN", proxy.url)
    direct = sse.start_program("curl", "-sSN", server.url)
    server.write("1\n")
    direct.stdout.wait_for(r"^data: 1\nid: .*\n\n")
    assert curl.stdout.is_quiet(0.1)
    server.close_stdin()
    curl.stdout.wait_for(r"^data: 1\nid: .*\n\n")
