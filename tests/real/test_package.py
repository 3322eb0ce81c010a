"""What `cmake --install` and `cpack -G DEB` make: that it installs, works, and goes without a trace."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.deadline import HANG

pytestmark = pytest.mark.release


def call(*command, status=0, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def build(sse):
    folder = Path(sse.binary).parent
    if not (folder / "CPackConfig.cmake").exists():
        pytest.skip(f"{folder} is no build folder")
    return folder


def test_an_installation_has_the_program_its_pages_and_completions(build, tmp_path):
    call("cmake", "--install", build, "--prefix", tmp_path)
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    pages = {f"share/man/man1/{name}.1" for name in ("sse", "sse-serve", "sse-tail", "sse-replay", "sse-record", "sse-check")}
    assert there >= pages | {"bin/sse", "share/man/man5/sse-recording.5", "share/zsh/site-functions/_sse",
                             "share/bash-completion/completions/sse", "share/fish/vendor_completions.d/sse.fish",
                             "share/doc/sse/examples/sse.service"}
    assert call(tmp_path / "bin/sse", "--version").startswith("sse ")


@pytest.fixture
def package(build, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can install a package")
    for tool in ("dpkg", "dpkg-shlibdeps", "file", "lintian"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    if subprocess.run(["dpkg", "-s", "sse"], capture_output=True, check=False).returncode == 0:
        pytest.skip("a package sse is installed already, and is not ours to remove")
    call("cpack", "-G", "DEB", "-B", tmp_path, "--config", build / "CPackConfig.cmake")
    path, = tmp_path.glob("sse_*.deb")
    yield path
    subprocess.run(["dpkg", "--no-triggers", "--purge", "sse"], capture_output=True, check=False)


def test_a_package_installs_works_and_goes(package, tmp_path):
    assert call("lintian", "--allow-root", "--fail-on", "error,warning", package) == ""
    assert "libssl3" in call("dpkg-deb", "--field", package, "Depends")
    call("dpkg", "--no-triggers", "--install", package)
    files = [line for line in call("dpkg", "--listfiles", "sse").splitlines() if Path(line).is_file()]
    assert {"/usr/bin/sse", "/usr/share/doc/sse/copyright"} <= set(files)
    call("dpkg", "--verify", "sse")
    port = tmp_path / "port"
    told = call("bash", "-c", """
        seq 3 | sse serve --listen 127.0.0.1:0 --port-file "$0" 2> /dev/null &
        until [ -e "$0" ]; do sleep 0.02; done
        sse tail ":$(cat "$0")"
        wait $!""", port, cwd="/", timeout=HANG)
    assert told == "1\n2\n3\n"
    if Path("/usr/share/man/man1/sse-tail.1.gz").exists() and shutil.which("man"):  # some systems leave pages out
        assert call("man", "-w", "sse-tail").strip() == "/usr/share/man/man1/sse-tail.1.gz"
    assert "_sse" in call("bash", "-c", ". /usr/share/bash-completion/bash_completion; _completion_loader sse;"
                          " complete -p sse")
    call("dpkg", "--no-triggers", "--purge", "sse")
    assert [path for path in files if Path(path).exists() and "/sse" in path] == []
    assert not Path("/usr/share/doc/sse").exists()
