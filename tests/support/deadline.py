"""Deadlines: how long a test waits for what must come. Never how long it sleeps."""
import os
import time

# Sanitizers and valgrind make everything slower; the suite then runs with SSE_TEST_SLOW=5 or so.
SLOW = float(os.environ.get("SSE_TEST_SLOW", "1"))


class Deadline:
    """A point in time, `seconds` from now (more where everything is slow)."""

    def __init__(self, seconds=10.0):
        self.at = time.monotonic() + seconds * SLOW

    def left(self):
        """Seconds until then, never negative."""
        return max(0.0, self.at - time.monotonic())

    def check(self, what):
        """Raises TimeoutError that names `what` once the time is over; returns what is left."""
        left = self.left()
        if left <= 0:
            raise TimeoutError(f"waited in vain for {what}")
        return left


def poll(what, condition, seconds=10.0, every=0.01):
    """Asks `condition()` until it is true, and returns its value. For state that cannot announce
    itself (files, /proc); where a line or a byte will come, wait for that instead."""
    deadline = Deadline(seconds)
    while True:
        value = condition()
        if value:
            return value
        deadline.check(what)
        time.sleep(every)
