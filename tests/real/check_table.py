#!/usr/bin/python3
"""Prints what `sse check` says of each endpoint in endpoints.py:
    tests/real/check_table.py build/sse [--busy N] [--jobs N] [NAME...]
--busy N: with N busy processes beside it. An endpoint whose servers do not start is tried once more, alone, at the end.
Exits with 1 if a good one has an error, more than 2 bad ones are missed, or one could not be checked.
    tests/real/check_table.py build/sse --record
writes what is seen of those in RECORDED to tests/unit/check_recorded.txt, for the unit tests of the verdicts, by means of
build/tests/sse_unit."""
import argparse
import functools
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
if __name__ == "__main__" and len(sys.argv) > 1:
    os.environ.setdefault("SSE_BIN", sys.argv[1])  # packages of npm are kept beside it
from endpoints import BAD, GOOD, Rig  # noqa: E402

TESTS = Path(__file__).resolve().parents[1]
RECORDED = ("sse serve", "nginx, proxy_buffering off", "apache, fcgi, flushpackets=on, mod_deflate", "haproxy, default",
            "haproxy, compression", "varnish as in the manual", "node, compression with flush",
            "nginx, default, upstream without chunks", "nginx, buffered, gzip", "nginx, short time limit", "nginx, php-fpm",
            "apache, fcgi", "haproxy, short time limit", "lighttpd, default", "varnish, cached", "node, compression",
            "gunicorn, one worker", "php, session", "python -m http.server")


def record(binary):
    """One after the other, so that they do not disturb each other."""
    unit = Path(binary).parent / "tests/sse_unit"
    target = TESTS / "unit/check_recorded.txt"
    target.write_text("# Written by tests/real/check_table.py --record; unit/check_recorded_test.cpp explains it.\n\n",
                      encoding="utf-8")
    for name in RECORDED:
        make, expected = (good(GOOD[name])[0], {"good"}) if name in GOOD else bad(BAD[name])[:2]
        rig = Rig(binary)
        try:
            subprocess.run([unit, "[.record]"], check=True, stdout=subprocess.DEVNULL, timeout=600, env={
                **os.environ, "SSE_RECORD_URL": make(rig), "SSE_RECORD_NAME": name, "SSE_RECORD_TO": str(target),
                "SSE_RECORD_EXPECTED": " ".join(sorted(expected))})
        finally:
            rig.close()


# Ends with its parent, however that ends.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100000))"


class NotChecked(Exception):
    """An endpoint could not be made or checked, which says nothing about its verdict."""


def look(binary, make, arguments=(), seconds=12):
    """The severities of the findings by ID, of an endpoint that is made for it. Raises NotChecked."""
    try:
        return findings(binary, make, arguments, seconds)
    except Exception as failure:  # pylint: disable=broad-except
        raise NotChecked(f"{type(failure).__name__}: {failure}") from failure


def findings(binary, make, arguments, seconds):
    rig = Rig(binary)
    try:
        url = make(rig)
        done = subprocess.run([binary, "check", "-o", "json", "-t", f"{seconds}s", *arguments, url], capture_output=True,
                              text=True, check=False, timeout=600)
        if done.returncode not in (0, 1):
            raise NotChecked(f"status {done.returncode}: {done.stderr.strip()}")
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
    parser.add_argument("--jobs", type=int, default=4)  # with 12 on 2 processors, the checks disturb each other
    parser.add_argument("--record", action="store_true")
    options = parser.parse_intermixed_args()
    binary = str(Path(options.binary).resolve())
    if options.record:
        return record(binary)
    started = time.monotonic()
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(options.busy)]
    looks = {(kind, name): functools.partial(look, binary, make, arguments)
             for kind, table in (("good", {name: good(entry) for name, entry in GOOD.items()}),
                                 ("bad", {name: bad(entry)[::2] for name, entry in BAD.items()}))
             for name, (make, arguments) in table.items()
             if not options.names or any(part in name for part in options.names)}
    verdicts, again = [], []
    try:
        with ThreadPoolExecutor(options.jobs) as pool:
            futures = {key: pool.submit(of) for key, of in looks.items()}
            for key, future in futures.items():
                try:
                    verdicts.append(tell(key, future.result()))
                except NotChecked as failure:
                    again.append(key)
                    print(f"{key[0]:4} again  {key[1]:45} {failure}", flush=True)
        failed = 0
        for key in again:
            try:
                verdicts.append(tell(key, looks[key]()))
            except NotChecked as failure:
                failed += 1
                print(f"{key[0]:4} FAILED {key[1]:45} {failure}", flush=True)
    finally:
        for process in busy:
            process.kill()
    wrong, missed = verdicts.count("WRONG"), verdicts.count("MISSED")
    goods = sum(kind == "good" for kind, _ in looks)
    print(f"{goods} good, {wrong} with an error; {len(looks) - goods} bad, {missed} missed; {failed} not checked; "
          f"{time.monotonic() - started:.0f} s")
    return 1 if wrong or missed > 2 or failed else 0


def tell(key, found):
    """Prints and returns the verdict on what was found of an endpoint."""
    kind, name = key
    if kind == "good":
        verdict = "WRONG" if "error" in found.values() else "ok"
    else:
        verdict = "found" if bad(BAD[name])[1] & found.keys() else "MISSED"
    print(f"{kind:4} {verdict:6} {name:45} {describe(found)}", flush=True)
    return verdict


def describe(found):
    return " ".join(f"{id}={severity}" for id, severity in found.items() if severity != "note") or "-"


if __name__ == "__main__":
    sys.exit(main())
