"""Servers of event streams that go on for a while, each with one fault or none: what `sse check` is for.

Every connection reads the same events, which a clock makes: event n is there n * EVERY seconds after
the server began."""
import threading
import time

EVERY = 0.25
HISTORY = 1000


def event(n, extra=""):
    return f"id: {n}\n{extra}data: {{\"number\": {n}, \"text\": \"{'x' * 40}\"}}\n\n"


class Beat:
    """The clock, and the handlers. `head`: further lines of the response's head."""

    def __init__(self, every=EVERY, make=event):
        self.every, self.make, self.start = every, make, time.monotonic()
        self.gone = threading.Event()

    def now(self):
        """The number of the newest event."""
        return int((time.monotonic() - self.start) / self.every)

    def wait(self, number):
        """Until event `number` is there; False once the server has ended."""
        return not self.gone.wait(max(0, self.start + number * self.every - time.monotonic()))

    def first(self, connection):
        """The event that a client gets first: the newest, or the one behind its last."""
        after = connection.request.header("last-event-id")
        return int(after) + 1 if after and after.isdigit() else self.now()

    def numbers(self, first):
        """The numbers of events as they come."""
        number = first
        while self.wait(number):
            yield number
            number += 1

    def good(self, *head, limit=None):
        def handler(c):
            first = self.first(c)  # before the head, as a server subscribes
            c.head("200 OK", "Cache-Control: no-store", *head)
            c.chunk("retry: 3000\n: ok\n\n")
            if c.request.method == "HEAD":
                return
            for number in self.numbers(first):
                c.chunk(self.make(number))
                if limit and number - first + 1 >= limit:
                    return c.end()
        return handler

    def end(self):
        self.gone.set()
