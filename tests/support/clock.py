"""The calendar's clock, moved under a program while it runs."""
import glob
import subprocess


def faketime():
    """The library that moves it; None where it is not installed."""
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)


def movable(clock):
    """The environment in which `clock`, a file, says by how many seconds it is moved: "+3600"."""
    return {"LD_PRELOAD": faketime(), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


SET_CLOCK = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long moved(void) {
    char text[32] = "";
    int fd = open(CLOCK, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    if (read(fd, text, sizeof text - 1) < 0) text[0] = 0;
    close(fd);
    return atol(text);
}
int clock_gettime(clockid_t id, struct timespec *t) {
    long failed = syscall(SYS_clock_gettime, id, t);
    if (failed == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += moved();
    return failed;
}
int gettimeofday(struct timeval *t, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec, t->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return out ? *out = now.tv_sec : now.tv_sec;
}
"""


def set_clock(clock, moved):
    """The environment of a program whose calendar's clock is moved by the seconds that `clock`, a file, holds; `moved`
    ("+3600") to begin with. It needs a C compiler, and no libfaketime, under which redis-server does not start."""
    clock.write_text(moved)
    library = clock.with_suffix(".so")
    built = subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", library, "-", f'-DCLOCK="{clock}"'], input=SET_CLOCK,
                           capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return {"LD_PRELOAD": str(library)}
