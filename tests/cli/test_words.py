"""Help, man pages and completions say the same, option by option; and every hint names what there
is."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
COMMANDS = ("serve", "tail", "replay", "record", "check", "bench")
OPTION = re.compile(r"(?<![\w-])(--?[A-Za-z0-9][\w-]*)")

pytestmark = pytest.mark.release


def help_options(sse, *command):
    """The options that --help lists, each with the choices it gives (`a|b|c`), if any."""
    result = sse.run(*command, "--help")
    assert result.status == 0 and result.err == ""
    options = {}
    for line in result.out.decode().splitlines():
        match = re.match(r"  (-[^ ]+)(?: ([a-z0-9]+(?:\|[a-z0-9]+)+)(?:=\w+)?)?", line)
        for name in match[1].split(",") if match else ():
            options[name] = set(match[2].split("|")) if match[2] else set()
    assert "--help" in options
    return options


UNCLEAR = re.compile(r"\bwho |what becomes|so long|so many|^what\b", re.IGNORECASE)


@pytest.mark.parametrize("command", ("", *COMMANDS))
def test_help_of_every_option_is_plain(sse, command):
    """No fragment that needs the option before it, and no inverted sentence."""
    text = sse.run(*filter(None, [command]), "--help").out.decode()
    items = re.findall(r"^  (-\S+)[^\n]*?(?:  +|\n {30})(\S.*(?:\n {30}.*)*)", text, re.MULTILINE)
    assert len(items) >= (2 if command == "" else 30)
    unclear = {name: help for name, help in items
               if UNCLEAR.search(re.sub(r"\s+", " ", help)) or not help[0].isupper()}
    assert not unclear


def man_options(page):
    """The options that have an item of their own in a man page."""
    options = {}
    for line in (ROOT / "man" / page).read_text(encoding="utf-8").splitlines():
        if line.startswith(".It Fl "):
            names = re.findall(r"Fl (-?[\w-]+)", line)
            choices = re.search(r"Ar (\w+(?: \| \w+)+)", line)
            for name in names:
                options["-" + name] = set(choices[1].split(" | ")) if choices else set()
    return options


@pytest.mark.parametrize("command", COMMANDS)
def test_help_and_man_page_have_the_same_options(sse, command):
    assert man_options(f"sse-{command}.1") == help_options(sse, command), (
        f"each option of sse {command} --help has an item in man/sse-{command}.1, and only those")


def test_help_and_man_page_of_sse_have_the_same_options_and_commands(sse):
    assert man_options("sse.1") == help_options(sse)
    listed = re.findall(r"^  (\w+)  ", sse.run("--help").out.decode().split("Commands:")[1],
                        re.MULTILINE)
    assert listed == list(COMMANDS)
    source = (ROOT / "man/sse.1").read_text(encoding="utf-8")
    assert re.findall(r"^\.It Cm (\w+)$", source, re.MULTILINE) == list(COMMANDS)


def bash_options(command):
    """From the completion itself, run by bash."""
    script = """
        source /usr/share/bash-completion/bash_completion
        source completions/sse.bash
        COMP_WORDS=(sse $1 -) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE="sse $1 -"
        COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMP_KEY=9
        _sse; printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(["bash", "-c", script, "bash", command], cwd=ROOT, capture_output=True,
                          text=True, check=True)
    return set(done.stdout.split())


def zsh_options(command):
    source = (ROOT / "completions/_sse").read_text(encoding="utf-8")
    name = f"_sse_{command}" if command else "_sse"
    part = re.search(rf"^{name}\(\) {{\n(.*?)^}}$", source, re.MULTILINE | re.DOTALL)[1]
    found = set()
    for line in part.splitlines():
        spec = re.match(r"\s+(?:'\(- \*\)'|'\*'?|')?(?:{([^}]*)}|(--?[\w-]+))", line)
        if spec and not line.lstrip().startswith("_"):
            found |= set((spec[1] or spec[2]).split(","))
    return found


def fish_options(command):
    found = set()
    for line in (ROOT / "completions/sse.fish").read_text(encoding="utf-8").splitlines():
        where = re.search(r"-n \$(\w+)", line)
        if not where or where[1] != (command or "none"):
            continue
        found |= {"--" + name for name in re.findall(r" -l ([\w-]+)", line)}
        found |= {"-" + name for name in re.findall(r" -s (\w)", line)}
    return found


@pytest.mark.parametrize("command", ("", *COMMANDS))
@pytest.mark.parametrize("shell", [bash_options, zsh_options, fish_options])
def test_help_and_completion_have_the_same_options(sse, shell, command):
    assert shell(command) == set(help_options(sse, *filter(None, [command]))), (
        "run completions/generate build/sse")


@pytest.mark.parametrize("file", ["sse.bash", "_sse", "sse.fish"])
def test_completions_know_the_values_that_help_lists(sse, file):
    source = (ROOT / "completions" / file).read_text(encoding="utf-8")
    lists = [set(words.split()) for words in re.findall(r"[\"(]([a-z0-9]+(?: [a-z0-9]+)+)[\")]", source)]
    for command in COMMANDS:
        for option, choices in help_options(sse, command).items():
            assert not choices or choices in lists, (command, option)


def test_completions_are_as_their_generator_writes_them(sse, tmp_path):
    subprocess.run([ROOT / "completions/generate", sse.binary, tmp_path], check=True)
    for path in tmp_path.iterdir():
        assert path.read_text() == (ROOT / "completions" / path.name).read_text(), (
            "run completions/generate build/sse")


@pytest.mark.parametrize("page", sorted(p.name for p in (ROOT / "man").glob("*.[157]")))
def test_man_pages_are_clean(page):
    done = subprocess.run(["mandoc", "-T", "lint", ROOT / "man" / page], capture_output=True,
                          text=True, check=False)
    # that our own pages are not installed here is not their fault
    complaints = [line for line in done.stdout.splitlines()
                  if "referenced manual not found" not in line]
    assert not complaints


def test_hints_and_pages_name_only_options_that_there_are(sse):
    known = {"-", "--"}.union(*(help_options(sse, *filter(None, [c])) for c in ("", *COMMANDS)))
    others = {"-N", "-sN", "-i", "-iN", "-c", "-l", "--digest", "--proxy-anyauth", "-dc"}  # of curl, sh, ls and xz
    unknown = []
    for path in sorted((ROOT / "cmd").rglob("*.cpp")):
        for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', path.read_text(encoding="utf-8")):
            if re.fullmatch(r"-\w,--[\w-]+|--[\w-]+", literal):
                continue  # where the option is made
            unknown += [f"{path.name}: {name} in {literal!r}" for name in OPTION.findall(literal.replace("grep -v", ""))
                        if name not in known | others and not re.fullmatch(r"-\d+", name)]
    assert not unknown
