"""TCP ports for programs that cannot tell which port they chose, and for where nobody listens."""
import random
import socket
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST = 10_000
_reserved = []


def free_port():
    """A port that nobody else is given while this process lives: it is below those that the kernel
    hands out for port 0 and to clients, and the UDP port of the same number marks it as taken."""
    end = int(RANGE.read_text("ascii").split()[0]) if RANGE.exists() else 32_768
    for port in random.sample(range(FIRST, end), end - FIRST):
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind(("127.0.0.1", port))
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            mark.close()
            continue
        _reserved.append(mark)
        return port
    raise RuntimeError(f"no port from {FIRST} to {end - 1} is free")
