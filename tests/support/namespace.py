"""A network namespace with two links to this one: one for the clients of what runs there, and one that can be cut."""
import os
import subprocess

import pytest


def ip(*words):
    done = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise PermissionError(f"ip {' '.join(map(str, words))}: {done.stderr.strip()}")


class Namespace:
    """`here` and `there` are the addresses at both ends of the link that can be cut; `reached` is the address at which a
    client here always reaches what runs there. A cut link loses packets, and neither end is told of it: the addresses
    stay, as they belong to the loopback interfaces."""

    def __init__(self):
        number = os.getpid() % 16_384
        net = f"10.{192 + number // 256}.{number % 256}"
        self.name = f"sse-{os.getpid()}"
        self.here, self.there, self.reached = f"{net}.1", f"{net}.2", f"{net}.6"
        self._link, clients = f"sse-l{os.getpid()}", f"sse-c{os.getpid()}"
        try:
            ip("netns", "add", self.name)
            ip("-n", self.name, "link", "set", "lo", "up")
            for name, end in ((self._link, "link"), (clients, "clients")):
                ip("link", "add", name, "type", "veth", "peer", "name", end, "netns", self.name)
                ip("-n", self.name, "link", "set", "dev", end, "up")
            ip("addr", "add", f"{net}.5/30", "dev", clients)
            ip("link", "set", "dev", clients, "up")
            ip("-n", self.name, "addr", "add", f"{self.reached}/30", "dev", "clients")
            ip("addr", "add", f"{self.here}/32", "dev", "lo")
            ip("-n", self.name, "addr", "add", f"{self.there}/32", "dev", "lo")
            self.mend()
            ip("-n", self.name, "route", "add", f"{self.here}/32", "dev", "link", "src", self.there)
        except (OSError, PermissionError) as e:
            self.close()
            pytest.skip(f"no network namespace can be made: {e}")

    @property
    def within(self):
        """What a command begins with that is to run there."""
        return ("ip", "netns", "exec", self.name)

    def cut(self):
        ip("link", "set", "dev", self._link, "down")

    def mend(self):
        ip("link", "set", "dev", self._link, "up")
        ip("route", "replace", f"{self.there}/32", "dev", self._link, "src", self.here)

    def close(self):
        for words in (("netns", "del", self.name), ("addr", "del", f"{self.here}/32", "dev", "lo"),
                      ("link", "del", "dev", self._link)):
            try:
                ip(*words)
            except (OSError, PermissionError):
                pass  # it was not made, or is gone with the namespace
