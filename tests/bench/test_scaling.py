"""Input that a stranger chooses is read in linear time: twice the size takes about twice the instructions,
as valgrind's callgrind counts them. No clock is read. One row has the cases whose names begin alike, since
it takes valgrind longer to start than to count one."""
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


def groups():
    """{beginning of the names: names}"""
    if program() is None:
        return {}
    found = {}
    for case in subprocess.run([program()], capture_output=True, text=True, check=True).stdout.splitlines():
        found.setdefault(case.split(":")[0] if ":" in case else "others", []).append(case)
    return found


def instructions(cases, folder):
    """For each case, the instructions for SIZE bytes and for twice that. Callgrind writes a file of counts
    after each call of measured()."""
    counts = folder / "counts"
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", "--toggle-collect=measured",
                    "--dump-after=measured", str(program()), str(SIZE), *cases],
                   capture_output=True, check=True, env={**os.environ, **PLAIN})
    found = [int(re.search(r"^(?:summary|totals): (\d+)", Path(f"{counts}.{n}").read_text("utf-8"), re.M)[1])
             for n in range(1, 2 * len(cases) + 1)]
    return list(zip(cases, found[::2], found[1::2]))


@pytest.mark.parametrize("group", groups())
def test_twice_the_size_takes_twice_the_instructions(group, tmp_path):
    for case, once, twice in instructions(groups()[group], tmp_path):
        assert once > SIZE / 64, f"{case}: it was read at all"
        assert twice <= MOST * once, f"{case}: {once} instructions for {SIZE} bytes, {twice / once:.2f} times as many for twice that"
