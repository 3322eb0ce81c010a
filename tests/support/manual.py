"""The examples of the manual pages: what stands there between `.Bd -literal` and `.Ed`, or behind
`.Dl`, under EXAMPLES."""
import re
from pathlib import Path

MAN = Path(__file__).parents[2] / "man"
ESCAPES = {r"\e": "\\", r"\-": "-", r"\&": "", r"\(dq": '"', r"\(aq": "'"}


def plain(text):
    """Without mdoc's escapes."""
    return re.sub(r"\\\((?:dq|aq)|\\[e&-]", lambda m: ESCAPES[m[0]], text)


def examples():
    """(page, text) of each, in their order."""
    found = []
    for path in sorted(MAN.glob("*.[157]")):
        source = path.read_text(encoding="utf-8").partition(".Sh EXAMPLES\n")[2].partition("\n.Sh ")[0]
        for block, line in re.findall(r"^\.Bd -literal[^\n]*\n(.*?)\n\.Ed|^\.Dl ([^\n]*)", source,
                                      re.MULTILINE | re.DOTALL):
            found.append((path.name, plain(block or line)))
    return found


def commands(text):
    """The commands of an example, each with the lines that go on with it."""
    return [part.rstrip("\n") for part in re.split(r"^\$ ", text, flags=re.MULTILINE) if part]
