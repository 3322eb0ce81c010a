"""Fixtures of the black-box tests (cli/ and real/). The binary under test is named by SSE_BIN."""
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support.origin import Origin  # noqa: E402
from support.process import Sse  # noqa: E402
from support.wire import Wire  # noqa: E402

# A proxy of the machine must not come between a test and its own loopback.
for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)


@pytest.fixture(scope="session")
def sse_bin():
    path = os.environ.get("SSE_BIN")
    if not path or not shutil.which(path):
        pytest.exit("SSE_BIN must name the sse binary to test", returncode=2)
    return str(Path(path).resolve())


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
