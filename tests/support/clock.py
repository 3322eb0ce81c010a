"""The calendar's clock, moved under a program while it runs."""
import subprocess

SET_CLOCK = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static int file = -1;
__attribute__((constructor)) static void open_file(void) { /* a server cannot open it once it is confined */
    if (file < 0) file = open(CLOCK, O_RDONLY | O_CLOEXEC);
}
static long moved(void) {
    char text[32] = "";
    open_file();
    return pread(file, text, sizeof text - 1, 0) < 0 ? 0 : atol(text);
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
    ("+3600") to begin with. It needs a C compiler, and not libfaketime: that opens its file again and again, which a
    confined server may not, and redis-server does not start under it."""
    clock.write_text(moved)
    library = clock.with_suffix(".so")
    built = subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", library, "-", f'-DCLOCK="{clock}"'], input=SET_CLOCK,
                           capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return {"LD_PRELOAD": str(library)}
