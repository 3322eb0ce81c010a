"""A strict reader of Prometheus' text exposition format (version 0.0.4): what a lenient one would let
pass is an error here."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ([^ ]+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def read(text):
    """{name: {labels: value}}, labels as a tuple of pairs. Every family must have one HELP, then one
    TYPE, then all its samples together; a counter's name ends in _total; no series comes twice."""
    assert text.endswith("\n")
    families, kind, name = {}, None, None
    lines = iter(text[:-1].split("\n"))
    for line in lines:
        if line.startswith("# HELP "):
            name, helped = re.fullmatch(rf"# HELP ({NAME}) (.+)", line).groups()
            assert name not in families and helped[0].isupper() and helped.endswith("."), line
            kind = re.fullmatch(rf"# TYPE {name} (counter|gauge)", next(lines))[1]
            assert name.endswith("_total") == (kind == "counter"), name
            families[name] = {}
            continue
        match = SAMPLE.fullmatch(line)
        assert match and match[1] == name, line
        labels, rest = [], match[2]
        while rest:
            label = LABEL.match(rest)
            assert label, line
            labels.append((label[1], re.sub(r"\\.", lambda m: UNESCAPED[m[0]], label[2])))
            rest = rest[label.end():]
        assert len({n for n, _ in labels}) == len(labels), line
        value = float(match[3])
        assert value >= 0 and tuple(labels) not in families[name], line
        families[name][tuple(labels)] = value
    assert all(families.values()), "a family without samples"
    return families
