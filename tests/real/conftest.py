"""Fixtures of the tests on real input: other people's clients and servers."""
import os
import subprocess

import pytest
from support.browser import Browser
from support.deadline import HANG
from support.nginx import Nginx
from support.npm import SDKS, install
from support.redis import Redis
from support.store_nodes import wait_ready


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """Runs a script with the SDKs, `node(script, url, ...)`, and returns what it wrote on standard output."""
    folder = install(tmp_path_factory.mktemp("npm"), *SDKS)

    def run(script, *arguments):
        file = folder / f"client-{os.getpid()}.mjs"
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(["node", file, *arguments], cwd=folder, capture_output=True, text=True,
                              timeout=HANG, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run


@pytest.fixture(scope="session")
def chromium():
    made = Browser()
    yield made
    made.close()


@pytest.fixture
def browser(chromium):
    """One for all tests of a worker: it takes seconds to start."""
    chromium.begin()
    yield chromium
    chromium.end()


@pytest.fixture
def nginx():
    """Starts an nginx: `nginx("location / { ... }")`."""
    made = []

    def make(server):
        made.append(Nginx(server))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def proxy(sse):
    """A TCP proxy to a server that can be killed without a goodbye, and comes back on its port."""
    return lambda port: Proxy(sse, port)


class Proxy:
    def __init__(self, sse, server_port):
        self._sse, self._server_port, self.port = sse, server_port, 0
        self.start()
        self.url = f"http://127.0.0.1:{self.port}/"

    def start(self):
        self._socat = self._sse.start_program(
            "socat", "-d", "-d", f"TCP-LISTEN:{self.port},bind=127.0.0.1,fork,reuseaddr",
            f"TCP:127.0.0.1:{self._server_port}")
        match = self._socat.stderr.wait_for(r"listening on AF=2 127\.0\.0\.1:(\d+)")
        self.port = int(match[1])

    def kill(self):
        """kill -9, the connections with it."""
        self._socat.end_hard()


@pytest.fixture
def started():
    """Closes what it has been given."""
    made = []
    yield lambda each: made.append(each) or each
    for each in reversed(made):
        each.close()


@pytest.fixture
def redis(started):
    return started(Redis())


@pytest.fixture
def store_node(sse, wire):
    """Starts a server with a store that is ready: `store_node(url, ...)`; it then has `admin` as well."""
    def start(url, *args, ready=True, **options):
        server = sse.serve("--publish", "--store", url, "--admin", "127.0.0.1:0", *args, **options)
        server.admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
        if ready:
            wait_ready(wire, server)
        return server
    return start
