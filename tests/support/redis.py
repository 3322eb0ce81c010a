"""Redis servers of the tests' own: Debian's redis-server and redis-sentinel, and what stands between them and us."""
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from support.deadline import HANG, poll
from support.ports import free_port


class RedisError(Exception):
    """An error that the server answered."""


class Client:
    """Commands to a Redis server, over RESP2."""

    def __init__(self, port, host="127.0.0.1"):
        self._sock = socket.create_connection((host, port), HANG)
        self._file = self._sock.makefile("rb")

    def __call__(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self._sock.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self._reply()

    def _reply(self):
        line = self._file.readline()
        if not line:
            raise EOFError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self._reply() for _ in range(int(rest))]
        return rest

    def close(self):
        self._file.close()
        self._sock.close()


class Redis:
    """A server with a folder of its own, which keeps what it has when it is started again. `host`: the address at which
    the test reaches it; `within`: the beginning of the command, such as `ip netns exec NAME`; `env`: as Process has it;
    `stored`: another one, whose events it has at the start."""

    def __init__(self, *args, program="redis-server", port=None, host="127.0.0.1", within=(), env=None, stored=None):
        self.port, self._args, self._program = port or free_port(), args, program
        self._host, self._within, self._env = host, within, {**os.environ, **(env or {})}
        self.folder = Path(tempfile.mkdtemp(prefix="sse-redis-"))
        if stored:
            shutil.copytree(stored.folder / "appendonlydir", self.folder / "appendonlydir")
        self._process = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self, *more, wait=True):
        args = ["--port", self.port, "--bind", self._host, "--dir", self.folder, "--save", "", "--appendonly", "yes",
                "--appendfsync", "always", "--daemonize", "no", "--logfile", self.folder / "log"]
        if self._program == "redis-sentinel":
            args = [self.folder / "sentinel.conf"]
        with open(self.folder / "output", "ab") as log:
            self._process = subprocess.Popen([*self._within, self._program, *map(str, [*args, *self._args, *more])], stdout=log,
                                             stderr=log, start_new_session=True, env=self._env)
        if wait:
            poll("Redis on its port", self._answers)

    def _answers(self):
        assert self._process.poll() is None, (self.folder / "log").read_text("utf-8", "replace")[-2000:]
        try:
            client = Client(self.port, self._host)
        except OSError:
            return False
        try:
            client("PING")
            return True
        except RedisError as e:
            return str(e).startswith(("NOAUTH", "DENIED"))
        except (EOFError, OSError):
            return False
        finally:
            client.close()

    def __call__(self, *words):
        client = Client(self.port, self._host)
        try:
            return client(*words)
        finally:
            client.close()

    def tell(self, *words):
        """The same where it may not be there, or not answer yet: False then."""
        try:
            return self(*words)
        except (OSError, EOFError, RedisError):
            return False

    def fill(self, count):
        """Sets one key that often, so that its file is long."""
        client = Client(self.port, self._host)
        try:
            client("EVAL", "for i = 1, tonumber(ARGV[1]) do redis.call('SET', 'fill', i) end", 0, count)
        finally:
            client.close()

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        """kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sentinel(Redis):
    """A sentinel at address `host` that watches the server `address`:`master` as `name`, with a quorum of 2."""

    def __init__(self, name, master, address="127.0.0.1", host="127.0.0.1"):
        self._watches = (name, address, master)
        super().__init__(program="redis-sentinel", host=host)

    def start(self, *more, wait=True):
        config = self.folder / "sentinel.conf"
        if not config.exists():
            name, address, master = self._watches
            config.write_text(f"port {self.port}\nbind {self._host}\ndir {self.folder}\nlogfile {self.folder}/log\n"
                              f"protected-mode no\nsentinel monitor {name} {address} {master} 2\n"
                              f"sentinel down-after-milliseconds {name} 1000\nsentinel failover-timeout {name} 5000\n")
        super().start(*more, wait=wait)


def leave_behind(replica):
    """From now on the replica gets nothing of its master, not even what is on its way, and stops."""
    replica("REPLICAOF", "NO", "ONE")  # or sentinels do not choose it once its link is down for ten seconds
    replica("REPLICAOF", "127.0.0.1", free_port())  # where nobody listens
    replica.signal(signal.SIGSTOP)


def is_master(server):
    """A server that becomes the master closes the connections of its clients."""
    return b"role:master" in (server.tell("INFO", "replication") or b"")


class Watched:
    """A Redis server, its replica, and three sentinels that watch both as `main`. The replica takes over in fail_over()
    only: until then, the sentinels wait for an hour. `args`: of both servers."""

    NAME = "main"

    def __init__(self, *args):
        self._made = []
        self.master, self.replica = (self._keep(Redis("--repl-diskless-sync-delay", "0", *args)) for _ in range(2))
        self.replica("REPLICAOF", "127.0.0.1", self.master.port)
        self.wait_for_replica()
        self.sentinels = [self._keep(Sentinel(self.NAME, self.master.port)) for _ in range(3)]
        poll("the sentinels", lambda: all(b"slaves=1,sentinels=3" in s("INFO", "sentinel") for s in self.sentinels))
        self._wait_before_failing_over(3_600_000)

    def _keep(self, each):
        self._made.append(each)
        return each

    def _wait_before_failing_over(self, milliseconds):
        for sentinel in self.sentinels:
            sentinel("SENTINEL", "SET", self.NAME, "down-after-milliseconds", milliseconds)

    def wait_for_replica(self):
        """Until it has what the master has."""
        poll("the replica", lambda: b"master_link_status:up" in (self.replica.tell("INFO", "replication") or b""))

    def leave_behind(self):
        """As leave_behind() of its replica, until fail_over()."""
        leave_behind(self.replica)

    def fail_over(self):
        """The master is killed and the replica takes over."""
        self.master.kill()
        self.replica.signal(signal.SIGCONT)
        self._wait_before_failing_over(1000)
        poll("the failover", lambda: is_master(self.replica), every=0.1)
        self._wait_before_failing_over(3_600_000)  # or a busy machine looks like another failure
        self.master, self.replica = self.replica, self.master

    def mend(self):
        """The server that was killed becomes the replica of the other one."""
        self.replica.start("--replicaof", "127.0.0.1", self.master.port)
        self.wait_for_replica()
        name = str(self.master.port).encode()
        poll("the sentinels", lambda: all(s("SENTINEL", "get-master-addr-by-name", self.NAME)[1] == name
                                          for s in self.sentinels))

    def close(self):
        for each in reversed(self._made):
            each.close()


class Between:
    """A TCP proxy to ports of this machine, on a thread of its own: it can hold back all bytes and new connections
    (a black hole), and reset all connections. What comes from one of `sentinels` names the port of the proxy for each of
    `ports`, as where addresses are translated."""

    def __init__(self, *ports, sentinels=()):
        self._held, self._closing = False, False
        self._pairs = {}
        self._selector = selectors.DefaultSelector()
        self._listeners, self._named = {}, []
        self._sentinel_ports, self._sentinels = set(sentinels), set()  # the latter: connections to them
        self.to = {}  # the port that stands for each
        for port in (*ports, *sentinels):
            listener = socket.create_server(("127.0.0.1", free_port()))  # of five digits, as they all are
            self._listeners[listener] = port
            self.to[port] = listener.getsockname()[1]
            self._selector.register(listener, selectors.EVENT_READ)
        self._named = [(str(port).encode(), str(self.to[port]).encode()) for port in ports]
        self.port = self.to[ports[0]]
        self._wake, self._waker = socket.socketpair()
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._orders = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _order(self, action):
        done = threading.Event()
        self._orders.append((action, done))
        self._waker.send(b"x")
        done.wait(HANG)

    def hold(self):
        """From now on, nothing gets through."""
        self._order(lambda: setattr(self, "_held", True))

    def release(self):
        self._order(lambda: setattr(self, "_held", False))

    def reset(self):
        """Resets all connections."""
        self._order(lambda: [self._drop(sock, True) for sock in list(self._pairs)])

    def _run(self):
        while not self._closing:
            for key, _ in self._selector.select(0.01 if self._held else None):
                sock = key.fileobj
                if sock is self._wake:
                    self._wake.recv(64)
                elif self._held:
                    time.sleep(0.002)  # it stays readable
                elif sock in self._listeners:
                    self._accept(sock)
                elif sock in self._pairs:
                    self._forward(sock)
            while self._orders:
                action, done = self._orders.pop(0)
                action()
                done.set()

    def _accept(self, listener):
        client, _ = listener.accept()
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # little is on its way while all is held
        server.settimeout(HANG)
        try:
            server.connect(("127.0.0.1", self._listeners[listener]))
        except OSError:
            server.close()
            client.close()
            return
        if self._listeners[listener] in self._sentinel_ports:
            self._sentinels.add(server)
        for a, b in ((client, server), (server, client)):
            self._pairs[a] = b
            self._selector.register(a, selectors.EVENT_READ)

    def _forward(self, sock):
        try:
            data = sock.recv(65536)
            if data:
                for port, own in self._named if sock in self._sentinels else ():
                    data = data.replace(port, own)
                self._pairs[sock].sendall(data)
                return
        except OSError:
            pass
        self._drop(sock, False)

    def _drop(self, sock, reset):
        other = self._pairs.get(sock)
        for each in (sock, other):
            if self._pairs.pop(each, None) is None:
                continue
            self._selector.unregister(each)
            self._sentinels.discard(each)
            if reset:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.close()

    def close(self):
        def end():
            self._closing = True
        self._order(end)
        self._thread.join()
        for sock in [*self._pairs, *self._listeners, self._wake, self._waker]:
            sock.close()
        self._selector.close()

