"""Builds and fixtures that all tests share. What is tested is named by SSE_BUILDS (`NAME:DIR,...`,
build directories; NAME is release, asan or tsan) or by SSE_BIN (one binary)."""
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support.builds import BLACK_BOX_ASAN, BUILDS, CppFile  # noqa: E402
from support.origin import Origin  # noqa: E402
from support.process import Sse  # noqa: E402
from support.wire import Wire  # noqa: E402

# A proxy of the machine must not come between a test and its own loopback.
for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)
os.environ.setdefault("TSAN_OPTIONS", f"suppressions={Path(__file__).parent / 'support/tsan.supp'}")
if os.environ.get("SSE_SANITIZED") != "all":  # looking for leaks is most of the time of a short process
    os.environ.setdefault("ASAN_OPTIONS", BLACK_BOX_ASAN)

# A shell starts what runs in the background with SIGINT ignored, nohup starts it with SIGHUP ignored, and what
# is ignored stays so in all children: these tests send both. What has a handler is at its default in a child.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda number, frame: None)


def pytest_collect_file(file_path, parent):
    """Catch2's test cases and libFuzzer's targets are tests like any other."""
    if file_path.suffix == ".cpp" and file_path.stem.endswith(("_test", "_fuzz")):
        return CppFile.from_parent(parent, path=file_path)
    return None


# The black-box tests that have memory or threads at stake run under a sanitizer, too: hostile input and the
# forms of bodies under ASan+UBSan, loops and their queues under TSan, and under both what has either at stake.
# All others are about text and run with Release alone. With SSE_SANITIZED=all in the environment, both
# sanitizers run all of these.
MEMORY = {f"test_{name}" for name in (
    "bad_input", "record_replay", "recording", "replay_import", "serve_http", "serve_injection", "serve_input",
    "serve_safety_limits", "serve_safety_tls", "tail_attacks",
    "tail_body", "tail_compressed", "tail_connection", "tail_delivery", "tail_state", "tail_tls", "tail_wire")}
THREADS = {f"test_{name}" for name in (
    "record", "replay", "replay_faults", "replay_post", "replay_shared", "serve", "serve_command", "serve_follow",
    "serve_ops", "serve_ops_faults", "serve_publish", "serve_record", "serve_tee", "tail_exec", "tail_several")}
BOTH = {f"test_{name}" for name in ("serve_attacks", "serve_churn", "serve_io", "serve_limits", "serve_store")}
HOSTILE = {f"test_{name}" for name in ("recording", "serve_attacks", "serve_injection", "tail_attacks")}
SANITIZED_ROWS = 1  # of each table, where its rows are not hostile input
ALL_SANITIZED = os.environ.get("SSE_SANITIZED") == "all"


def builds_for(module):
    """The names of the builds that the rows of `module` run with."""
    if module not in MEMORY | THREADS | BOTH:
        return {"release"}
    if module in BOTH or ALL_SANITIZED:
        return {"release", "asan", "tsan"}
    return {"release", "asan" if module in MEMORY else "tsan"}


def pytest_generate_tests(metafunc):
    """A black-box test runs once with each build that suits it."""
    if "sse_bin" not in metafunc.fixturenames:
        return
    names = builds_for(metafunc.definition.path.stem)
    if metafunc.definition.get_closest_marker("release"):
        names = {"release"}
    suited = [b for b in BUILDS if b.name in names]
    metafunc.parametrize("sse_bin", [str(b.sse) for b in suited], ids=[b.name for b in suited],
                         scope="session")


def pytest_collection_modifyitems(config, items):
    if not BUILDS:
        pytest.exit("SSE_BUILDS or SSE_BIN must name what to test (tests/run does)", returncode=2)
    release = {str(b.sse) for b in BUILDS if b.name == "release"}
    portable = {str(b.sse) for b in BUILDS if b.portable}
    seen, left_out = Counter(), []
    for item in items:
        binary = getattr(item, "callspec", None) and item.callspec.params.get("sse_bin")
        if binary in portable and item.get_closest_marker("linux"):
            item.add_marker(pytest.mark.skip(reason="a portable build"))
        if binary and binary not in release and item.path.stem not in HOSTILE:
            row = (item.path, item.originalname, binary)
            seen[row] += 1
            if seen[row] > SANITIZED_ROWS:
                left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(map(id, left_out))
        items[:] = [item for item in items if id(item) not in gone]


@pytest.fixture
def sse(sse_bin):
    """The program: `sse.run(...)`, `sse.start(...)`, `sse.serve(...)`. What a test leaves running is
    ended after it, and a sanitizer's report on any stderr fails it."""
    program = Sse(sse_bin)
    yield program
    program.end_all()


@pytest.fixture
def wire():
    """HTTP on bare sockets: `wire.get(url)`, `wire.request(...)`, `wire.send(url, bytes)`."""
    connections = Wire()
    yield connections
    connections.close_all()


@pytest.fixture
def origin():
    """Makes servers that do what a handler says: `origin(handler)`."""
    made = []

    def make(handler, **options):
        made.append(Origin(handler, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()
