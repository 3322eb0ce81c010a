"""How many instructions the hot paths take, counted by valgrind's callgrind on fixed inputs, beside
the numbers that are kept in instructions.json. Growth is a decision: whoever wants it changes the
number, and says why in the commit:

    python3 tests/bench/test_instructions.py build     counts again, and writes the numbers
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

KEPT = Path(__file__).parent / "instructions.json"
MOST = 1.05  # of the kept number

# memchr, memcpy and UTF-8 validation are chosen by processor: those that every x86-64 has
PLAIN = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-RTM,-SSE4_2",
         "SIMDJSON_FORCE_IMPLEMENTATION": "westmere", "LD_BIND_NOW": "1"}


def cases(program):
    """{name: events}"""
    out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    pairs = (line.split(" ", 1) for line in out.splitlines())
    return {name: int(events) for events, name in pairs}


def count(program, case, events):
    """Instructions an event."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           "--toggle-collect=measured", str(program), case],
                          capture_output=True, text=True, check=True, env={**os.environ, **PLAIN})
    return round(int(re.search(r"Collected : (\d+)", done.stderr)[1]) / events, 1)


def program(directory):
    return Path(directory, "tests", "sse_instructions")


def programs():
    from support.builds import BUILDS
    return [b.directory for b in BUILDS if b.name == "release" and program(b.directory).exists()]


@pytest.mark.parametrize("case", json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else [])
def test_no_hot_path_has_grown(case):
    kept = json.loads(KEPT.read_text("utf-8"))[case]
    if not programs():
        pytest.skip("only a build without sanitizers is counted")
    found = program(programs()[0])
    now = count(found, case, cases(found)[case])
    assert now <= kept * MOST, f"{case}: {now} instructions an event, {now / kept:.3f} times the {kept} that are kept"
    assert now >= kept / MOST, f"{case}: {now}, less than the {kept} that are kept: keep the new number"


def test_every_case_has_a_number():
    kept = set(json.loads(KEPT.read_text("utf-8")))
    for directory in programs():
        assert set(cases(program(directory))) == kept


if __name__ == "__main__":
    found = program(sys.argv[1])
    KEPT.write_text(json.dumps({c: count(found, c, n) for c, n in cases(found).items()}, indent=2) + "\n", "utf-8")
    print(KEPT.read_text("utf-8"), end="")
