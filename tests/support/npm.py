"""Packages of npm, installed once in a build directory, for all workers and for later runs."""
import fcntl
import hashlib
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from support.builds import BUILDS

SECONDS = 120
# The SDKs that sse record and sse replay are tested with: one list, so that they are installed once.
SDKS = ("openai", "@anthropic-ai/sdk", "eventsource", "@modelcontextprotocol/sdk", "@google/genai", "ai",
        "@ai-sdk/openai-compatible")
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


def kept_folder():
    """Where packages stay for later runs: a build directory."""
    directory = BUILDS[0].directory
    return directory if (directory / "CMakeCache.txt").exists() else Path(tempfile.gettempdir())


def install(folder, *packages):
    """`folder`, an empty one, in which programs find these packages. Where the packages cannot be installed (no
    registry can be reached), the test is skipped and says so; one failure is for all."""
    shared = kept_folder() / f"npm-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}"
    with open(Path(tempfile.gettempdir(), "sse-tests-npm.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "installed").exists():
            if FAILED.exists() and time.time() - FAILED.stat().st_mtime < 600:
                pytest.skip(FAILED.read_text(encoding="utf-8"))
            shared.mkdir(exist_ok=True)
            if why := failure_to_install(shared, packages):
                FAILED.write_text(why, encoding="utf-8")
                pytest.skip(why)
            (shared / "installed").touch()
    (folder / "node_modules").symlink_to(shared / "node_modules")
    return folder
