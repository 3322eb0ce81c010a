"""`cmake -DSSE_REDIS=OFF`, which is the same as a system without hiredis. Only the folder lib/redis is compiled anew: all
other commands are those of the build under test, and its objects are linked."""
import json
import re
import subprocess
from pathlib import Path

import pytest
from support.process import Sse

pytestmark = pytest.mark.release


def call(*command, cwd=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def commands(folder):
    """How each file of the program is compiled, apart from the flags of hiredis, which has a file to itself if it is used."""
    text = (folder / "compile_commands.json").read_text(encoding="utf-8").replace(str(folder), "BUILD")
    flags = {"-isystem", *call("pkg-config", "--cflags", "hiredis").replace("-I", "").split()}
    return {c["file"]: sorted(set(c["command"].split()) - flags) for c in json.loads(text)
            if " -o tests/" not in c["command"] and not re.search(r"/(redis_reply\.cpp|unity_redis_cxx\.cxx)$", c["file"])}


@pytest.fixture
def without(sse, tmp_path):
    """The program."""
    build = Path(sse.binary).parent
    if not (build / "build.ninja").exists():
        pytest.skip(f"{build} is no build folder of ninja")
    cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    options = re.findall(r"^((?:SSE_\w+|CMAKE_BUILD_TYPE|CMAKE_CXX_FLAGS|CMAKE_CXX_COMPILER):(?:BOOL|STRING|FILEPATH)=.*)$",
                         cache, re.MULTILINE)
    source = re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache, re.MULTILINE)[1]
    call("cmake", "-G", "Ninja", "-S", source, "-B", tmp_path, *(f"-D{option}" for option in options), "-DSSE_TESTS=OFF",
         "-DSSE_FUZZ=OFF", "-DSSE_REDIS=OFF")
    assert commands(tmp_path) == commands(build)
    objects = re.findall(r"^(CMakeFiles/sse_lib\.dir/\S*redis\S*\.o):", call("ninja", "-t", "targets", "all", cwd=tmp_path),
                         re.MULTILINE)
    assert objects
    call("ninja", *objects, cwd=tmp_path)
    link = call("ninja", "-t", "commands", "sse", cwd=tmp_path).splitlines()[-1]
    link, count = re.subn(r" libsse\.a ", f" {' '.join(objects)} {build}/libsse.a ", link)
    assert count == 1
    link = re.sub(r" (libsse_cmd\.a|CMakeFiles/sse\.dir/)", rf" {build}/\1", link)
    assert "hiredis" not in link
    call("sh", "-c", link, cwd=tmp_path)
    program = Sse(str(tmp_path / "sse"))
    yield program
    program.end_all()


def test_a_build_without_hiredis_refuses_redis_and_does_the_rest(without, tmp_path):
    for address in ("redis://localhost", "rediss://localhost", "redis+sentinel://localhost/main"):
        done = without.run("serve", "--store", address)
        assert (done.status, done.out, done.err) == (2, b"", (
            "sse: error: this build cannot use Redis (it has no hiredis)\n"
            "sse: hint: install libhiredis-dev and build sse again, or give --store a directory\n"))
    assert b"hiredis" not in without.run("--version").out
    server = without.serve("--publish", "--store", tmp_path / "store")
    assert server.running
