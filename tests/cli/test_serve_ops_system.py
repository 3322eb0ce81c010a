"""`sse serve` as a service: sockets from systemd, its notifications, unix sockets, the account it
goes on as, and its limit of descriptors."""
import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import sys
from pathlib import Path

import pytest
from support.deadline import HANG, poll

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

# Binds what its arguments name, puts it at 3, 4, ..., and becomes the program.
PASS = """
import os, socket, sys
names, kinds, pid, program = sys.argv[1], sys.argv[2].split(), sys.argv[3], sys.argv[4:]
held = []
for kind in kinds:
    family = socket.AF_UNIX if kind.startswith("unix:") else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    made.bind(kind[5:] if family == socket.AF_UNIX else ("127.0.0.1", 0))
    if kind != "udp":
        made.listen()
    held.append(os.dup2(made.fileno(), 100 + len(held)))
for number, fd in enumerate(held):
    os.dup2(fd, 3 + number)
os.environ.update(LISTEN_FDS=str(len(kinds)), LISTEN_FDNAMES=names,
                  LISTEN_PID=str(os.getpid()) if pid == "own" else pid)
os.execv(program[0], program)
"""


def start_with(sse, kinds, *args, names="", pid="own", typed=b""):
    """With `typed` as its input so far, which stays open."""
    server = sse.start_program(sys.executable, "-c", PASS, names, kinds, pid, sse.binary, "serve",
                               *args)
    server.write(typed)
    return server


def serving(server):
    return server.stderr.wait_for(r"^sse: serving (\S+)$")[1]


def test_a_passed_socket_is_used_and_no_other(sse, wire):
    server = start_with(sse, "tcp", "--listen", "127.0.0.1:1", typed=b"a\n")
    assert [e.data for e in wire.get(serving(server)).events(1)] == ["a"]


def test_several_are_used_and_the_one_named_admin_is_for_the_admin(sse, wire, tmp_path):
    path = tmp_path / "socket"
    server = start_with(sse, f"tcp tcp unix:{path}", names="web:admin:local", typed=b"a\n")
    admin = server.stderr.wait_for(r"^sse: admin (\S+)$")[1]
    server.stderr.wait_for(rf"^sse: serving unix:{path}$")
    assert wire.get(admin + "healthz").status == 200
    for url in (serving(server), f"unix:{path}"):
        assert [e.data for e in wire.get(url).events(1)] == ["a"]
    wire.close_all()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert path.exists()  # it is systemd's


def test_sockets_for_another_process_are_left_alone(sse, wire):
    server = start_with(sse, "tcp", "--listen", "127.0.0.1:0", pid="1", typed=b"a\n")
    assert [e.data for e in wire.get(serving(server)).events(1)] == ["a"]
    fds = [os.readlink(f"/proc/{server.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{server.pid}/fd")]
    assert sum(fd.startswith("socket:") for fd in fds) >= 2  # the one at 3 is still there


def test_a_passed_socket_that_does_not_listen_is_refused(sse):
    server = start_with(sse, "udp")
    assert server.wait() == 2
    assert server.stderr.text() == (
        "sse: error: descriptor 3 is not a listening stream socket\n"
        "sse: hint: --listen takes an address such as 127.0.0.1:8080, [::1]:0, :8080 or unix:/path\n")


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="no systemd")
def test_systemd_starts_it_at_the_first_connection(sse, wire, tmp_path):
    path = tmp_path / "socket"
    systemd = sse.start_program("systemd-socket-activate", "-l", path, sse.binary, "serve",
                                input=b"a\n")
    poll("the socket", path.exists)
    stream = wire.get(f"unix:{path}")
    assert [e.data for e in stream.events()] == ["a"]
    stream.close()
    assert systemd.wait() == 0


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_is_told_that_it_serves_and_that_it_stops(sse, tmp_path, abstract):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    name = f"@sse-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    manager.bind(name.replace("@", "\0"))
    manager.settimeout(HANG)
    server = sse.serve(env={"NOTIFY_SOCKET": name})
    assert manager.recv(100) == b"READY=1"
    server.signal(signal.SIGTERM)
    assert manager.recv(100) == b"STOPPING=1"
    assert server.wait() == 0


def test_the_watchdog_is_notified_when_it_asks(sse, tmp_path):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(HANG)
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    server = sse.serve(env=env)
    assert [manager.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    other = sse.serve(env={**env, "WATCHDOG_PID": "1"})
    other.signal(signal.SIGTERM)
    assert other.wait() == 0
    assert server.running


def test_no_manager_or_a_dead_one_is_no_trouble(sse, tmp_path):
    for name in ("", "relative", str(tmp_path / "nobody"), "@" + "x" * 200):
        server = sse.serve(env={"NOTIFY_SOCKET": name})
        server.signal(signal.SIGTERM)
        assert server.wait() == 0


# -- unix sockets

def serve_unix(sse, path, *args, typed=b""):
    server = sse.serve("--listen", f"unix:{path}", *args)
    server.write(typed)
    return server


@pytest.mark.parametrize("mode", ["0600", "660", "0777"])
def test_a_unix_socket_has_its_mode_and_goes_at_the_end(sse, wire, tmp_path, mode):
    path = tmp_path / "socket"
    server = serve_unix(sse, path, "--socket-mode", mode, typed=b"a\n")
    assert stat.S_IMODE(path.stat().st_mode) == int(mode, 8)
    assert [e.data for e in wire.get(f"unix:{path}").events(1)] == ["a"]
    wire.close_all()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert not path.exists()


@pytest.mark.parametrize("mode", ["rw", "8", "1777", ""])
def test_what_is_no_mode_is_refused(sse, mode):
    result = sse.run("serve", "--socket-mode", mode)
    assert result.status == 2 and result.err.startswith("sse: error: ")


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(sse, wire, tmp_path):
    path = tmp_path / "socket"
    killed = serve_unix(sse, path)
    killed.signal(signal.SIGKILL)
    killed.wait()
    assert path.exists()
    server = serve_unix(sse, path, typed=b"a\n")
    second = sse.run("serve", "--listen", f"unix:{path}")
    assert second.status == 7
    assert second.err == (
        f"sse: error: cannot listen on unix:{path}: Address already in use\n"
        "sse: hint: choose another address with --listen, or port 0 for any free port\n")
    assert [e.data for e in wire.get(f"unix:{path}").events(1)] == ["a"]
    assert server.running


def test_a_file_in_the_way_is_not_removed(sse, tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    assert sse.run("serve", "--listen", f"unix:{path}").status == 7
    assert path.read_text() == "data"


def test_another_servers_socket_is_not_removed_at_the_end(sse, wire, tmp_path):
    path = tmp_path / "socket"
    first = serve_unix(sse, path)
    path.unlink()
    second = serve_unix(sse, path, typed=b"a\n")
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert [e.data for e in wire.get(f"unix:{path}").events(1)] == ["a"]
    assert second.running


# -- who it is

def ids(server):
    status = open(f"/proc/{server.pid}/status").read()
    return [set(re.search(rf"^{name}:\t(.*)$", status, re.MULTILINE)[1].split())
            for name in ("Uid", "Gid", "Groups")]


@pytest.mark.linux
@root_only
@pytest.mark.parametrize("given,group", [("nobody", None), ("nobody:daemon", "daemon"),
                                         ("65534:1", "daemon")])
def test_root_is_left_for_good(sse, wire, tmp_path, given, group):
    import grp
    log, path = tmp_path / "log", tmp_path / "socket"
    tmp_path.chmod(0o755)
    server = sse.serve("--listen", "127.0.0.1:0", "--listen", f"unix:{path}", "--access-log", log,
                       "--user", given, "--threads", "2")
    server.write(b"a\n")
    poll("root to be left", lambda: ids(server)[0] == {"65534"})
    gid = str(grp.getgrnam(group).gr_gid if group else pwd.getpwnam("nobody").pw_gid)
    uids, gids, groups = ids(server)
    assert (uids, gids) == ({"65534"}, {gid}) and "0" not in groups
    assert not int(re.search(r"^CapEff:\t(\w+)$", open(f"/proc/{server.pid}/status").read(),
                             re.MULTILINE)[1], 16)
    assert [e.data for e in wire.get(server.url).events(1)] == ["a"]
    assert path.stat().st_uid == log.stat().st_uid == 65534  # so that it can open the log anew
    for task in os.listdir(f"/proc/{server.pid}/task"):
        text = open(f"/proc/{server.pid}/task/{task}/status").read()
        assert "\nUid:\t65534\t65534\t65534\t65534\n" in text
        assert "\nNoNewPrivs:\t1\n" in text


@pytest.fixture
def roots_own(tmp_path):
    """A directory that only root may enter."""
    path = tmp_path / "root"
    path.mkdir(mode=0o700)
    return path


@root_only
def test_tokens_that_only_root_reads_are_read_again(sse, wire, roots_own):
    """S12: a child that stays root opens the files of the command line again, and no others."""
    path = roots_own / "tokens"
    path.write_text("old\n")
    path.chmod(0o600)
    server = sse.serve("--listen", "127.0.0.1:0", "--user", "nobody", "--token-file", path)
    server.write(b"a\n")
    path.write_text("new\n")
    server.signal(signal.SIGHUP)
    server.stderr.wait_for(r"^sse: note: reloaded the tokens$")
    status = {token: wire.get(server.url, headers={"Authorization": f"Bearer {token}"}).status
              for token in ("old", "new")}
    assert status == {"old": 403, "new": 200} or status == {"old": 401, "new": 200}
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    assert len(children) == 1
    assert len(os.listdir(f"/proc/{children[0]}/fd")) == 1  # the connection to the server
    assert re.search(r"^CapEff:\t0*2$", Path(f"/proc/{children[0]}/status").read_text(), re.MULTILINE)
    server.signal(signal.SIGTERM)
    assert server.wait() in (0, 143)
    poll("the child to end", lambda: not Path(f"/proc/{children[0]}").exists())


@root_only
def test_a_log_that_only_root_creates_is_opened_again(sse, wire, roots_own):
    log = roots_own / "access.log"
    server = sse.serve("--listen", "127.0.0.1:0", "--user", "nobody", "--publish", "--access-log", log)
    log.rename(roots_own / "access.log.1")
    server.signal(signal.SIGHUP)
    poll("the new log", log.exists)
    wire.get(server.url + "none").close()
    poll("its line", lambda: '"path":"/none"' in log.read_text())
    assert "cannot" not in server.stderr.text()


@root_only
def test_a_link_in_the_place_of_a_log_is_not_followed_by_root(sse, roots_own, tmp_path):
    log, target = roots_own / "access.log", tmp_path / "target"
    server = sse.serve("--listen", "127.0.0.1:0", "--user", "nobody", "--publish", "--access-log", log)
    log.unlink()
    target.write_text("")
    target.chmod(0o600)
    log.symlink_to(target)
    os.lchown(log, 1, 1)
    server.signal(signal.SIGHUP)
    server.stderr.wait_for(r"^sse: warning: cannot write the access log ")
    assert target.read_text() == ""


@root_only
def test_a_followed_file_that_only_root_reads_is_followed_across_rotation(sse, wire, roots_own):
    path = roots_own / "log"
    path.write_text("a\n")
    server = sse.serve("--listen", "127.0.0.1:0", "--user", "nobody", "-f", path)
    answer = wire.get(server.url)
    answer.events(1)
    path.rename(roots_own / "log.1")
    path.write_text("b\n")
    path.chmod(0o600)
    assert [e.data for e in answer.events(2)] == ["a", "b"]
    with open(path, "a") as file:
        file.write("c\n")
    assert [e.data for e in answer.events(3)] == ["a", "b", "c"]


@pytest.mark.parametrize("user,why", [
    ("no-such-user", "unknown user no-such-user"),
    ("nobody:no-such-group", "unknown group no-such-group"),
    ("root", "user root is root"),
    ("0:0", "user 0 is root"),
    ("424242", "user 424242 has no group"),
])
def test_whom_it_cannot_become(sse, user, why):
    result = sse.run("serve", "--listen", "127.0.0.1:0", "--user", user)
    assert result.status == 2
    assert result.err.splitlines()[-2:] == [f"sse: error: {why}",
                                            "sse: hint: give --user a NAME or NAME:GROUP, such as www-data:adm"]


@root_only
def test_who_is_not_root_is_told_so(sse):
    # without TSan's suppressions: they may lie where only root reads
    shell = sse.start_program("env", "-u", "TSAN_OPTIONS", "setpriv", "--reuid=65534", "--regid=65534",
                              "--clear-groups", sse.binary, "serve", "--listen", "127.0.0.1:0", "--user", "daemon")
    assert shell.wait() == 2
    assert shell.stderr.text().splitlines()[-2:] == [
        "sse: error: cannot change to user daemon: Operation not permitted",
        "sse: hint: run as root to use --user, or remove it to keep the current user"]


# -- descriptors

def test_the_limit_of_descriptors_is_raised_and_one_that_is_too_low_is_told(sse):
    def start(hard, *args):
        shell = sse.start_program("sh", "-c", f'ulimit -Sn 100; ulimit -Hn {hard}; exec "$@"', "sh",
                                  sse.binary, "serve", "--listen", "127.0.0.1:0", *args)
        shell.stderr.wait_for(r"^sse: serving \S+$")
        limits = open(f"/proc/{shell.pid}/limits").read()
        assert re.search(rf"^Max open files +{hard} +{hard} ", limits, re.MULTILINE)
        return shell.stderr.text()

    note = "sse: note: a limit of 300 file descriptors is too low for 1000 clients; raise the hard limit " \
           "(LimitNOFILE=) or lower --max-clients\n"
    assert note in start(300, "--max-clients", "1000")
    assert "note" not in start(300, "--max-clients", "200")


def test_the_backlog_is_as_asked(sse):
    server = sse.serve("--backlog", "7")
    ss = shutil.which("ss")
    if not ss:
        pytest.skip("no ss")
    port = server.url.split(":")[2].strip("/")
    listed = sse.start_program(ss, "-ltn", f"sport = :{port}")
    assert listed.wait() == 0
    assert re.search(r"^LISTEN +\d+ +7 ", listed.stdout.text(), re.MULTILINE)


@pytest.mark.linux
@pytest.mark.parametrize("command, given_up", [([], 1), (["--", "sleep", "1d"], 0)], ids=["input", "command"])
def test_a_server_without_a_command_gives_up_running_programs(sse, wire, tmp_path, command, given_up):
    """H20: on all of its threads. What it then may do is in tests/unit/confine_test.cpp."""
    server = sse.serve("--threads", "2", "--access-log", tmp_path / "log", "--record", tmp_path / "record", *command)
    wire.get(server.url)  # its threads run

    def on_each_thread():
        statuses = [path.read_text() for path in Path(f"/proc/{server.pid}/task").glob("*/status")]
        return len(statuses) >= 4 and all(f"\nNoNewPrivs:\t{given_up}\n" in text for text in statuses)
    poll("all threads", on_each_thread)


def landlock():
    """The kernel has it: landlock_create_ruleset(2) tells its version."""
    return ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


@pytest.mark.linux
@pytest.mark.parametrize("args, restricted", [([], True), (["-f"], False)], ids=["read", "followed"])
def test_a_server_reads_only_directories_of_files_that_it_opens_again(sse, wire, tmp_path, args, restricted):
    """H20: a token file that becomes a link to another directory is not read; one in the same directory is."""
    if not landlock():
        pytest.skip("no Landlock")
    ours, others = tmp_path / "ours", tmp_path / "others"
    for directory in (ours, others):
        directory.mkdir()
        (directory / "events").write_text("data: 1\nid: 1\n\n")
        (directory / "tokens").write_text(f"{directory.name}\n")
    tokens = ours / "tokens"
    server = sse.serve("--on-eof", "hold", "--token-file", tokens, "--admin", "127.0.0.1:0", *args, ours / "events")
    poll("the server to have given up its rights",
         lambda: "\nNoNewPrivs:\t1\n" in Path(f"/proc/{server.pid}/status").read_text())
    tokens.unlink()
    tokens.symlink_to(others / "tokens")
    server.signal(signal.SIGHUP)
    if not restricted:
        server.stderr.wait_for(r"^sse: note: reloaded the tokens$")
        return
    server.stderr.wait_for(r"^sse: warning: .*tokens: Permission denied")
    tokens.unlink()
    tokens.write_text("new\n")
    server.signal(signal.SIGHUP)
    server.stderr.wait_for(r"^sse: note: reloaded the tokens$")
    assert wire.get(server.url, headers={"Authorization": "Bearer new"}).status == 200
    metrics = wire.get(re.search(r"^sse: admin (\S+)$", server.stderr.text(), re.MULTILINE)[1] + "metrics")
    assert b"process_resident_memory_bytes" in metrics.read_all()
