"""The calendar's clock, moved under a program while it runs."""
import glob


def faketime():
    """The library that moves it; None where it is not installed."""
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)


def movable(clock):
    """The environment in which `clock`, a file, says by how many seconds it is moved: "+3600"."""
    return {"LD_PRELOAD": faketime(), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
