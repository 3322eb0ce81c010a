"""Packages of npm, in a folder of their own."""
import fcntl
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

SECONDS = 120
FAILED = Path(tempfile.gettempdir(), "sse-tests-npm-failed")  # why, for the other workers


def failure_to_install(folder, packages):
    """"" if all went well."""
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts",
               "--fetch-retries=1", "--fetch-timeout=30000", *packages]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=SECONDS)
    except FileNotFoundError:
        return "there is no npm"
    except subprocess.TimeoutExpired:
        return f"npm install did not end in {SECONDS} s"
    if done.returncode == 0:
        return ""
    return f"npm cannot install {' '.join(packages)}: {done.stderr.strip()[-300:]}"


def install(folder, *packages):
    """Installs them there; where that cannot be done (no registry can be reached), the test is
    skipped and says so. One at a time: several workers may ask, and one failure is for all."""
    with open(Path(tempfile.gettempdir(), "sse-tests-npm.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if FAILED.exists() and time.time() - FAILED.stat().st_mtime < 600:
            pytest.skip(FAILED.read_text(encoding="utf-8"))
        if why := failure_to_install(folder, packages):
            FAILED.write_text(why, encoding="utf-8")
            pytest.skip(why)
    return folder
