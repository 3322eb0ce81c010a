"""The benches work: a short form of each prints its rows. What their figures are is no test."""
import subprocess
import sys
from pathlib import Path

import pytest

from support.builds import BUILDS

RUN = Path(__file__).parent / "run"
EXPECTED = {"fanout": "one event at a time", "parser": "memchr walk", "tail": "tail -o json", "replay": "replay",
            "replay_shared": "replay --shared", "ingest": "lines of 200 bytes", "record": "added latency, p99",
            "store": "first byte of a resume", "redis": "a client of another"}


@pytest.mark.parametrize("bench", EXPECTED)
def test_the_short_form_prints_its_rows(bench):
    release = [b for b in BUILDS if b.name == "release" and (b.directory / "tests").is_dir()]
    if not release:
        pytest.skip("only with the Release build")
    done = subprocess.run([sys.executable, str(RUN), "--short", "--build", str(release[0].directory), bench],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 1 and all(row.count("|") >= 7 for row in rows), done.stdout
    assert any(EXPECTED[bench] in row for row in rows), done.stdout
