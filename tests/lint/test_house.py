"""What the house looks like: format, clang-tidy, layers, and what must not be in the sources."""
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted(p for d in ("lib", "cmd", "tests") for e in ("hpp", "cpp")
                 for p in (ROOT / d).rglob(f"*.{e}"))
LAYERS = ("base", "protocol", "recording", "hub", "store", "input", "playback", "net", "redis", "http", "client", "check",
          "server", "handlers", "proxy", "load")
APART = {"client": "server", "server": "client"}  # these never include each other
# cmd: what its folders share comes first; a command never includes another one
SHARED, COMMANDS = ("term", "cli", "client", "server"), ("serve", "tail", "replay", "record", "check", "bench")
# heavy headers, and the only places that may include them
HEAVY = {"hiredis.h": r"lib/redis/redis_reply\.cpp", "httplib.h": r"lib/\w+/httplib_\w+\.(hpp|cpp)"}
HEAVY |= {"CLI/CLI.hpp": r"cmd/(\w+/)?(\w+\.cpp|(choice|colour_option|number|text_option)\.hpp)", "simdjson.h": r"(lib|cmd)/.*\.cpp"}


def name(path):
    return str(path.relative_to(ROOT))


def includes(path):
    return re.findall(r'^#include [<"]([^>"]+)[>"]', path.read_text(encoding="utf-8"), re.MULTILINE)


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sources_are_formatted():
    run("clang-format", "--dry-run", "-Werror", *map(name, SOURCES))


def test_clang_tidy_reads_every_file():
    """It runs while the sanitized build compiles (SSE_TIDY); here: that its filter leaves nothing out."""
    text = (ROOT / ".clang-tidy").read_text(encoding="utf-8")
    pattern = re.compile(re.search(r"^HeaderFilterRegex: '(.*)'$", text, re.MULTILINE)[1])
    assert [name(p) for p in SOURCES if not name(p).startswith("tests/") and not pattern.search(str(p))] == []


def layers_above(layer):
    return {*LAYERS[LAYERS.index(layer) + 1:], "cmd", APART.get(layer)}


def test_no_layer_includes_one_above_it():
    crossed = [f"{name(path)}: {i}" for path in SOURCES if path.parent.parent == ROOT / "lib"
               for i in includes(path) if i.split("/")[0] in layers_above(path.parent.name)]
    assert not crossed


def test_every_folder_of_lib_is_a_layer():
    assert {p.name for p in (ROOT / "lib").iterdir() if p.is_dir()} == set(LAYERS)


def test_no_command_includes_another_one():
    crossed = []
    for path in SOURCES:
        folder = path.parent.name
        if path.parent.parent != ROOT / "cmd":
            continue
        above = set(COMMANDS) - {folder}
        if folder in SHARED:
            above |= set(SHARED[SHARED.index(folder) + 1:])
        crossed += [f"{name(path)}: {i}" for i in includes(path)
                    if i.startswith("cmd/") and i.split("/")[1] in above]
    assert not crossed


def test_heavy_headers_stay_where_they_belong():
    astray = [f"{name(p)}: {i}" for p in SOURCES if not name(p).startswith("tests/")
              for i in includes(p) if i in HEAVY and not re.fullmatch(HEAVY[i], name(p))]
    assert not astray


def test_lib_never_prints_or_exits():
    spoken = re.compile(r"std::cout|std::cerr|\bprintf\(|fmt::print\(|stderr|std::exit\(")
    # _exit is how a forked child ends that could not become its program
    talking = [f"{name(p)}: {line.strip()}" for p in SOURCES if name(p).startswith("lib/")
               for line in p.read_text(encoding="utf-8").splitlines()
               if spoken.search(line.split("//")[0])]
    assert not talking


# what only some systems have, and the only places that may name it
SYSTEM = re.compile(r"__linux__|__APPLE__|__FreeBSD__|<linux/|<mach/|<sys/(prctl|procctl|inotify|event|epoll)\.h>|"
                    r"/proc/|\b(pipe2|accept4|ppoll|prctl|getresuid|inotify_\w+|fdatasync)\(|"
                    r"\bSOCK_(CLOEXEC|NONBLOCK|SEQPACKET)|MSG_(NOSIGNAL|CMSG_CLOEXEC)")
SYSTEM_FILES = {"lib/base/posix.hpp", "lib/base/posix.cpp", "lib/input/file_notifier.cpp", "lib/net/confine.cpp",
                "lib/net/given_files.cpp", "lib/net/send_ring.cpp", "lib/net/ready_set.cpp", "lib/net/socket_watch.cpp",
                "lib/load/process_usage.cpp", "cmd/cli/init_process.cpp"}


def test_what_not_every_system_has_is_in_one_place():
    astray = [f"{name(p)}: {line.strip()}" for p in SOURCES
              if not name(p).startswith("tests/") and name(p) not in SYSTEM_FILES
              for line in p.read_text(encoding="utf-8").splitlines() if SYSTEM.search(line.split("//")[0])]
    assert not astray


def test_random_numbers_need_no_file():
    """std::random_device opens one in some standard libraries, and a confined thread may open none."""
    assert not [f"{name(p)}: {line.strip()}" for p in SOURCES for line in p.read_text(encoding="utf-8").splitlines()
                if "random_device" in line.split("//")[0]]


def test_nothing_is_left_for_later():
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    files = [ROOT / "README.md", ROOT / "CMakeLists.txt"]
    for folder in ("cmd", "lib", "man", "completions", "tests"):
        files += [p for p in (ROOT / folder).rglob("*") if p.is_file()]
    left = []
    for path in files:
        if path == Path(__file__) or {"corpus", "__pycache__"} & set(path.parts):
            continue
        left += [f"{name(path)}: {m[0]}" for m in words.finditer(path.read_text("utf-8", "replace"))]
    assert not left


def test_no_wait_of_a_test_has_a_time_of_its_own():
    """What must come is waited for until HANG: less than that is too little on a busy machine."""
    own = re.compile(r"settimeout\(\d{2,}|\bwait\(\d{2,}|timeout=\d{2,}[),]|create_connection\(.*, \d{2,}\)")
    rows = [p for folder in ("cli", "real", "lint") for p in (ROOT / "tests" / folder).glob("test_*.py")]
    assert not [f"{name(p)}: {line.strip()}" for p in rows for line in p.read_text("utf-8").splitlines()
                if own.search(line) and '"' not in line[:own.search(line).start()]]


def test_references_to_the_rules_resolve():
    """`RULES.md, 20`, and `rule 20` in a file that names RULES.md, are numbers of lib/protocol/RULES.md."""
    numbers = {int(n) for n in re.findall(r"^(\d+)\. ", (ROOT / "lib/protocol/RULES.md").read_text("utf-8"), re.MULTILINE)}
    broken = []
    for path in [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]:
        text = path.read_text("utf-8")
        if path == Path(__file__):
            continue
        if re.search(r"\b[Rr]ules? \d", text) and "RULES.md" not in text:
            broken.append(f"{name(path)}: a rule, and no mention of RULES.md")
        broken += [f"{name(path)}: rule {n}" for m in re.finditer(r"(?:RULES\.md,|\brules?) (\d+)(?: to (\d+))?(?: and (\d+))?", text)
                   for n in m.groups() if n and int(n) not in numbers]
    assert not broken


def test_the_parts_of_a_release_agree():
    """The suite makes no release, which takes an hour (.scripts/release): here, that its parts agree."""
    script, formula, dockerfile = ((ROOT / ".scripts" / file).read_text("utf-8")
                                   for file in ("release", "formula.rb.in", "Dockerfile"))
    version = re.search(r"^project\(sse VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text("utf-8"), re.MULTILINE)[1]
    assert f"\n## {version} (" in (ROOT / "man/CHANGELOG.md").read_text("utf-8")
    assert set(re.findall(r"sse[-_](\d+\.\d+\.\d+)", (ROOT / "README.md").read_text("utf-8"))) == {version}
    for file in (".scripts/release", ".scripts/static-libraries", "tests/elsewhere"):
        run("bash", "-n", file)
    packages = (ROOT / ".scripts/packages").read_text("utf-8")
    libraries = {name.lower() for name in re.findall(r"^build +\S+ +(\S+)$", packages, re.MULTILINE)} - {"pkg-config"}
    depends = set(re.findall(r'^ {2,4}(?:depends_on|uses_from_macos) "([\w-]+)', formula, re.MULTILINE))
    assert depends - {"cmake", "ninja", "pkgconf"} == libraries
    recipe = (ROOT / ".github/RELEASING.md").read_text("utf-8")
    for made in ("linux-", "image.tar.gz", "SHA256SUMS", "sse.rb"):
        assert made in script and made in recipe
    for copied in re.findall(r"^COPY \S*?([\w.-]+) ", dockerfile, re.MULTILINE):
        assert copied in script
    assert "\nARG TARGETARCH\n" in dockerfile  # BuildKit takes a default in place of the platform's
