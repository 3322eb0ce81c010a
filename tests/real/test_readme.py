"""The commands of README.md's tasks, as they stand there: each serves, or ends as it is meant to."""
import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import test_shapes
from support.deadline import HANG
from support.examples import Bench, stand_in
from support.manual import commands, examples
from support.ports import free_port

pytestmark = pytest.mark.release
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
TASKS = re.findall(r"^    \$ (.*)$", README.partition("## Tasks\n")[2].partition("\n## ")[0], re.MULTILINE)
# what those print that end by themselves
PRINTED = {
    "curl -N http://127.0.0.1:8080/": r"data: 1\nid: \S+\n\n(.*\n)*",
    "sse tail -o json -n 3 :8080 | jq .data": r'"1"\n"2"\n"3"\n',
    "sse tail --state last-id :8080": r"1\n2\n3\n4\n5\n",
    "sse tail -e deployed -n 1 -m 1m https://ci.example/events": r'\{"version":"1.4"\}\n',
    "sse tail --bearer": r"(.*\n)*\[DONE\]\n",
    "OPENAI_BASE_URL=": "()",  # it writes what it got to a file
    "sse check": r"https?://(.*\n)*0 errors, .*\n",
    "sse bench": r"  subscribers +\d(.*\n)*",
    "sse tail --json": re.escape(test_shapes.TEXT),
}


@pytest.fixture
def bench(sse, origin, tmp_path):
    def models(c):
        if not c.request.target.startswith("/v1/chat"):
            return stand_in(c)
        if c.request.header("authorization") is None:
            c.request.headers.append(("Authorization", "Bearer sk-secret"))  # the task leaves it out
        return test_shapes.openai(c)

    made = Bench(Path(sse.binary).resolve(), origin(models, port=free_port()), tmp_path)
    made.file("readers", "reader's token\n".replace("'s ", "-"))
    (tmp_path / "readers").chmod(0o600)
    made.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
             " -keyout key.pem -out cert.pem 2> /dev/null")
    yield made
    made.close()


def test_there_are_tasks_and_each_that_prints_is_known():
    assert len(TASKS) > 10
    for start in PRINTED:
        assert any(task.startswith(start) for task in TASKS), start


def test_several_servers_are_started_as_in_the_manual():
    """Where test_man_examples.py runs it."""
    block = README.partition("## Several servers\n")[2].partition("\n## ")[0].split("```")[1].strip()
    manual = next(text for _, text in examples() if "haproxy-nodes.cfg" in text)

    def plain(text):
        return [re.sub(r"\\\n +", "", c).replace("/usr/share/doc/sse/", "man/") for c in commands(text)]
    assert plain(block) == plain(manual)[1:]  # with a Redis that runs already


@pytest.mark.parametrize("task", TASKS)
def test_a_task_of_the_readme(bench, task):
    printed = next((pattern for start, pattern in PRINTED.items() if task.startswith(start)), None)
    if printed:
        if "8080" in task:
            bench.serve("seq 5 | sse serve")
        assert re.fullmatch(printed, bench.run(task))
        return
    served = bench.serve(task)
    url = re.search(r"^sse: serving (\S+)$", served.stderr.text(), re.MULTILINE)[1]
    path = "/v1/chat/completions" if "replay" in task else ""
    request = urllib.request.Request(url.replace("0.0.0.0", "127.0.0.1").rstrip("/" if path else "") + path,
                                     headers={"Authorization": "Bearer reader-token"},
                                     data=b"{}" if task.endswith("recordings/") and path else None)
    context = ssl._create_unverified_context() if url.startswith("https") else None
    with urllib.request.urlopen(request, timeout=HANG, context=context) as answer:
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/event-stream")
        assert "--publish" in task or answer.readline().strip()
