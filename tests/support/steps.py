"""What an Origin does with the connections of `sse tail`: steps, each a function of one connection."""


def script(origin, *steps, **options):
    """A server whose nth connection does steps[n](connection); the last one for all that follow."""
    return origin(lambda c: steps[min(c.number, len(steps) - 1)](c), **options)


def stream(origin, *pieces, end=True, **head):
    """A server that sends the same to every connection."""
    return origin(events(*pieces, **head) if end else silent(*pieces))


def events(*pieces, end=True, head=(), content_type="text/event-stream"):
    """A step: a stream of these chunks, which ends well, or is cut."""
    def step(c):
        c.head("200 OK", *head, content_type=content_type)
        for piece in pieces:
            c.chunk(piece)
        if end:
            c.end()
    return step


def silent(*pieces):
    """A step: a stream of these chunks, which then stays open."""
    def step(c):
        c.head()
        for piece in pieces:
            c.chunk(piece)
        c.wait_for_close()
    return step


def answers(status, body="", *headers, content_type=None):
    return lambda c: c.answer(status, body, *headers, content_type=content_type)


def no_content(c):
    c.head("204 No Content", "Content-Length: 0", content_type=None)


def closes(c):
    """A step: nothing at all."""


def never_answers(c):
    c.wait_for_close()


FAST = "retry: 1\n"  # at once, as far as a client goes
