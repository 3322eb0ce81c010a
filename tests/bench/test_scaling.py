"""Input that a stranger chooses is read in linear time: twice the size takes about twice the instructions,
as valgrind's callgrind counts them. No clock is read."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from bench.test_instructions import PLAIN

SIZE = 40_000  # bytes; what grows with the square of this needs four times the instructions for twice the size
MOST = 2.5


def program():
    from support.builds import BUILDS
    found = [Path(b.directory, "tests", "sse_scaling") for b in BUILDS if b.name == "release"]
    return next((p for p in found if p.exists()), None)


def cases():
    if program() is None:
        return []
    return subprocess.run([program()], capture_output=True, text=True, check=True).stdout.splitlines()


def instructions(case, size):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           "--toggle-collect=measured", str(program()), case, str(size)],
                          capture_output=True, text=True, check=True, env={**os.environ, **PLAIN})
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


@pytest.mark.parametrize("case", cases())
def test_twice_the_size_takes_twice_the_instructions(case):
    once, twice = instructions(case, SIZE), instructions(case, 2 * SIZE)
    assert once > SIZE / 64, "it was read at all"
    assert twice <= MOST * once, f"{once} instructions for {SIZE} bytes, {twice / once:.2f} times as many for twice that"
