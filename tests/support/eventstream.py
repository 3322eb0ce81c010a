"""A reference parser of text/event-stream, written from the HTML standard (9.2.6) line by line and
with no regard to speed. Shares no code with the program."""
import re
from dataclasses import dataclass

LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n)")


@dataclass(frozen=True)
class Event:
    data: str
    event: str = "message"
    id: str = ""  # the last event ID when it was dispatched


class EventStream:
    """Feed it bytes; it gathers events, comments and the reconnection time (milliseconds)."""

    def __init__(self, last_event_id=""):
        self.events, self.comments, self.retry = [], [], None
        self.last_event_id = self._id = last_event_id
        self._data, self._type = [], ""
        self._rest, self._started, self._skip_lf = b"", False, False

    def feed(self, data):
        """Takes more bytes; returns the events that they ended."""
        first = len(self.events)
        self._rest += data
        if not self._started:
            if len(self._rest) < 3 and b"\xef\xbb\xbf".startswith(self._rest):
                return []
            self._rest = self._rest.removeprefix(b"\xef\xbb\xbf")
            self._started = True
        if self._skip_lf and self._rest:
            self._rest = self._rest.removeprefix(b"\n")
            self._skip_lf = False
            if not self._rest:
                return []
        at = 0
        while found := LINE.match(self._rest, at):
            at = found.end()
            self._take(found[1].decode("utf-8", "replace"))
        # A CR ends its line at once; an LF that comes later still belongs to it.
        self._skip_lf = at == len(self._rest) and self._rest.endswith(b"\r") or (
            self._skip_lf and not self._rest)
        self._rest = self._rest[at:]
        return self.events[first:]

    def _take(self, line):
        if line == "":
            return self._dispatch()
        if line.startswith(":"):
            return self.comments.append(line[1:])
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value)

    def _dispatch(self):
        self.last_event_id = self._id
        if self._data:
            self.events.append(Event("\n".join(self._data), self._type or "message", self._id))
        self._data, self._type = [], ""


def parse(data, last_event_id=""):
    """The events of a whole stream."""
    stream = EventStream(last_event_id)
    stream.feed(data)
    return stream.events
