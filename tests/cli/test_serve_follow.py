"""`sse serve --follow`: files that grow, are rotated, truncated, or are not there yet."""
import os
import subprocess

import pytest
from support.deadline import HANG, poll

def lines(stream, count):
    return [e.data for e in stream.events(count)]


def follow(sse, wire, *args):
    server = sse.serve("--follow", *args)
    return server, wire.get(server.url)


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def test_it_starts_with_what_is_there_and_goes_on(sse, wire, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("1\n2\n")
    server, stream = follow(sse, wire, log)
    assert lines(stream, 2) == ["1", "2"]
    append(log, "3\nhalf")
    assert lines(stream, 3) == ["1", "2", "3"]
    append(log, " done\n")
    assert lines(stream, 4)[3:] == ["half done"]
    server.signal(15)
    stream.events()
    stream.close()
    assert server.wait() == 0


def test_a_file_that_is_not_there_yet_is_waited_for(sse, wire, tmp_path):
    log = tmp_path / "later" / "app.log"
    server, stream = follow(sse, wire, log)
    server.stderr.wait_for(f"^sse: note: waiting for {log} to appear$")
    log.parent.mkdir()
    log.write_text("1\n")
    assert lines(stream, 1) == ["1"]


def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(sse, wire, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("1\n")
    server, stream = follow(sse, wire, log)
    assert lines(stream, 1) == ["1"]
    writer = open(log, "a")
    log.rename(tmp_path / "app.log.1")
    writer.write("2 by the old name\n")  # the writer has not turned to the new file yet
    writer.flush()
    assert lines(stream, 2)[1:] == ["2 by the old name"]
    log.write_text("")
    writer.write("3, too\nno line end")
    writer.flush()
    assert lines(stream, 3)[2:] == ["3, too"]
    append(log, "4\n")
    assert lines(stream, 5)[3:] == ["no line end", "4"]
    server.stderr.wait_for(f"^sse: note: {log} was replaced; reading the new one$")
    append(log, "5\n")
    assert lines(stream, 6)[5:] == ["5"]


def test_nothing_is_lost_over_many_rotations(sse, wire, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("")
    server, stream = follow(sse, wire, log)

    def holds_the_new_one():
        return any(names(fd.path) == str(log) for fd in os.scandir(f"/proc/{server.pid}/fd"))

    def names(descriptor):
        try:
            return os.readlink(descriptor)
        except FileNotFoundError:
            return None  # closed in the meantime

    for turn in range(30):
        first = 50 * turn
        with open(log, "a") as file:
            for number in range(first, first + 49):
                file.write(f"{number}\n")
            file.flush()
            if turn % 3 == 0:
                log.unlink()
            else:
                log.rename(tmp_path / f"app.log.{turn}")
            log.write_text("")
            file.write(f"{first + 49}\n")  # the new one is there, and the writer has yet to turn
        poll("the new file is seen", holds_the_new_one)
    append(log, "end\n")
    assert lines(stream, 1501) == [str(n) for n in range(1500)] + ["end"]


def test_a_truncated_file_is_read_from_its_start(sse, wire, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("1\n2\nunfinished")
    server, stream = follow(sse, wire, log)
    assert lines(stream, 2) == ["1", "2"]
    log.write_text("3\n")
    assert lines(stream, 4)[2:] == ["unfinished", "3"]
    server.stderr.wait_for(f"^sse: note: {log} was truncated; reading from its start$")


def test_a_link_that_is_turned_to_another_file_is_a_rotation(sse, wire, tmp_path):
    (tmp_path / "one").write_text("1\n")
    (tmp_path / "two").write_text("2\n")
    link = tmp_path / "current"
    link.symlink_to("one")
    server, stream = follow(sse, wire, link)
    assert lines(stream, 1) == ["1"]
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").rename(link)
    assert lines(stream, 2) == ["1", "2"]


def test_several_files_are_followed_at_once(sse, wire, tmp_path):
    logs = [tmp_path / name for name in "abc"]
    server, stream = follow(sse, wire, *logs)
    for log in logs:
        log.write_text(f"{log.name}\n")
    assert sorted(lines(stream, 3)) == ["a", "b", "c"]


def test_a_fifo_that_is_followed_outlives_its_writers(sse, wire, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    server, stream = follow(sse, wire, fifo)
    for n in range(3):
        subprocess.run(["sh", "-c", f"echo {n} > {fifo}"], check=True, timeout=HANG)
    assert lines(stream, 3) == ["0", "1", "2"]


def test_a_quiet_file_costs_nothing(sse, wire, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("1\n")
    server, stream = follow(sse, wire, log)
    assert lines(stream, 1) == ["1"]
    before = server.descriptors()
    for n in range(20):  # neither do rotations, once they are over
        log.rename(tmp_path / "old")
        log.write_text(f"{n}\n")
        lines(stream, n + 2)
    poll("descriptors of old files are closed", lambda: server.descriptors() <= before)


@pytest.mark.parametrize("name,why", [("", "Is a directory"), ("secret", "Permission denied")])
def test_what_cannot_be_followed_is_refused(sse, tmp_path, name, why):
    path = tmp_path / name
    if name:
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
        path.write_text("")
        path.chmod(0)
    result = sse.run("serve", "-f", path)
    assert result.status == 23
    assert result.err.startswith(f"sse: error: cannot follow {path}: {why}")


def test_standard_input_cannot_be_followed(sse):
    result = sse.run("serve", "-f", "-")
    assert result.status == 2
    assert result.err.splitlines() == ["sse: error: cannot follow standard input",
                                       "sse: hint: give the files to follow, or remove --follow"]


@pytest.mark.linux
def test_many_files_need_one_inotify_instance_and_no_thread_each(sse, wire, tmp_path):
    logs = [tmp_path / f"{n % 3}" / f"{n}.log" for n in range(300)]
    for log in logs:
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"{log.name} 1\n")
    server, stream = follow(sse, wire, *logs)
    assert set(lines(stream, 300)) == {f"{log.name} 1" for log in logs}
    instances = [fd for fd in os.scandir(f"/proc/{server.pid}/fd") if "inotify" in os.readlink(fd.path)]
    assert len(instances) == 1
    assert len(os.listdir(f"/proc/{server.pid}/task")) < 20
    for log in logs:
        append(log, f"{log.name} 2\n")
    assert set(lines(stream, 600)[300:]) == {f"{log.name} 2" for log in logs}
