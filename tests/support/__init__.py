"""What the black-box tests share: processes, HTTP on bare sockets, a reference event-stream parser."""
