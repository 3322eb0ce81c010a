#!/usr/bin/python3
"""Prints what `sse check` says of each endpoint in endpoints.py:
    tests/real/check_table.py build/sse [--busy N] [--jobs N] [NAME...]
--busy N: with N busy processes beside it. Exits with 1 if a good one has an error, or more than 2 bad ones are
missed."""
import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from endpoints import BAD, GOOD, Rig  # noqa: E402


def look(binary, make, arguments=(), seconds=12):
    """The severities of the findings by ID, of an endpoint that is made for it."""
    rig = Rig(binary)
    try:
        url = make(rig)
        done = subprocess.run([binary, "check", "-o", "json", "-t", f"{seconds}s", *arguments, url], capture_output=True,
                              text=True, check=False, timeout=120)
        if done.returncode not in (0, 1):
            return {"failed: " + done.stderr.splitlines()[0]: "error"}
        return {found["id"]: found["severity"] for found in json.loads(done.stdout)["findings"]}
    finally:
        rig.close()


def good(entry):
    """(maker, arguments) of a good one."""
    if isinstance(entry, tuple):
        handler, arguments = entry
        return (lambda rig: rig.origin(handler(rig)).url), arguments
    return entry, []


def bad(entry):
    make, expected, *arguments = entry
    return make, expected, arguments[0] if arguments else []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=12)
    options = parser.parse_args()
    binary = str(Path(options.binary).resolve())
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.busy)]

    def wanted(table):
        return {name: entry for name, entry in table.items()
                if not options.names or any(part in name for part in options.names)}

    try:
        with ThreadPoolExecutor(options.jobs) as pool:
            goods = {name: pool.submit(look, binary, *good(entry)) for name, entry in wanted(GOOD).items()}
            bads = {name: pool.submit(look, binary, bad(entry)[0], bad(entry)[2]) for name, entry in wanted(BAD).items()}
            wrong = missed = 0
            for name, future in goods.items():
                found = {id for id, severity in future.result().items() if severity == "error"}
                wrong += bool(found)
                print(f"good {'WRONG' if found else 'ok':6} {name:45} {describe(future.result())}", flush=True)
            for name, future in bads.items():
                hit = bad(BAD[name])[1] & future.result().keys()
                missed += not hit
                print(f"bad  {'found' if hit else 'MISSED':6} {name:45} {describe(future.result())}", flush=True)
    finally:
        for process in busy:
            process.kill()
    print(f"{len(goods)} good, {wrong} with an error; {len(bads)} bad, {missed} missed")
    return 1 if wrong or missed > 2 else 0


def describe(found):
    return " ".join(f"{id}={severity}" for id, severity in found.items() if severity != "note") or "-"


if __name__ == "__main__":
    sys.exit(main())
