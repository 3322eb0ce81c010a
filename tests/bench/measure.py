"""What the benches share: rows of one table, processes on a processor of their own, and what these
have used."""
import os
import re
import resource
import shutil
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
SERVER, CLIENT = 0, (os.cpu_count() or 1) - 1  # a processor each, where there are two


BUSY = 0.05  # of the server's processor that others may use before its figures say nothing


@dataclass
class Row:
    """One line of the table: a figure of ours beside another of the same run. With `rounds`, pairs of both
    that were measured in turn (or ours alone), the figures and their ratio are medians, and the spread of the
    ratio is shown, or that of ours. `others`: the share of its processor that others used."""
    what: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    more_is_better: bool = False
    limit: str = ""                # in words
    met: bool | None = None
    rounds: list = field(default_factory=list)
    others: float = 0.0

    @classmethod
    def of_rounds(cls, what, rounds, unit, peer="", others=0.0):
        ours = statistics.median(ours for ours, _ in rounds)
        theirs = statistics.median(theirs for _, theirs in rounds) if peer else None
        return cls(what, ours, unit, peer, theirs, rounds=rounds, others=others)

    @property
    def values(self):
        """What the limit is held against, in each round."""
        return [ours / theirs if self.theirs else ours for ours, theirs in self.rounds]

    @property
    def ratio(self):
        if not self.theirs:
            return None
        return statistics.median(self.values) if self.rounds else self.ours / self.theirs

    def spread(self):
        return f" ({min(self.values):.2f} to {max(self.values):.2f})" if len(self.rounds) > 1 else ""

    def within(self, most=None, least=None):
        """Holds the ratio, or where there is no peer the figure, against a limit."""
        value = self.ours if self.ratio is None else self.ratio
        shown = "" if self.ratio is None else "x"
        self.limit = f"at most {number(most)}{shown}" if most is not None else f"at least {number(least)}{shown}"
        self.met = None if self.others > BUSY else value <= most if most is not None else value >= least
        return self

    def cells(self):
        alone = self.theirs is None
        busy = f"the machine was too busy: others used {self.others:.0%} of the processor"
        return [self.what, f"{number(self.ours)} {self.unit}{self.spread() if alone else ''}",
                f"{self.peer} {number(self.theirs)}" if not alone else "",
                f"{self.ratio:.2f}{self.spread()}" if self.ratio is not None else "", self.limit,
                busy if self.others > BUSY else {None: "", True: "yes", False: "**no**"}[self.met]]


HEAD = ["what", "sse", "beside it", "ratio", "limit", "met"]


def number(value):
    if value is None:
        return ""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


@dataclass
class Setting:
    """What all benches are given."""
    build: Path
    short: bool = False     # only to see that it works: its figures say nothing
    wide: bool = False      # all numbers of clients, and all peers
    rounds: int = 5

    @property
    def sse(self):
        return str(self.build / "sse")

    def tool(self, name):
        return str(self.build / "tests" / name)


def on(processor, *command):
    return ["taskset", "-c", str(processor), *command]


def processes(pid):
    """It, and its children."""
    out = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [pid, *map(int, out.split())]


def cpu_seconds(pids):
    """User and system, of all their threads, in steps of a tick."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def others_seconds(pids):
    """How long the processor SERVER has worked for others than these processes, or was taken by the hypervisor."""
    line = re.search(rf"^cpu{SERVER} (.*)$", Path("/proc/stat").read_text(encoding="ascii"), re.MULTILINE)
    user, nice, system, _, _, irq, softirq, steal = map(int, line[1].split()[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS - cpu_seconds(pids)


def settled(pids):
    """Their CPU once they do nothing more."""
    before, now = -1.0, cpu_seconds(pids)
    while before != now:
        time.sleep(0.7)
        before, now = now, cpu_seconds(pids)
    return now


def memory_kib(pids):
    """What they have allocated. Shared memory counts once, and pages of files not at all: those of our program
    are shared with the load client."""
    return sum(int(kib) for pid in pids
               for kib in re.findall(r"^Pss_(?:Anon|Shmem):\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text("ascii"),
                                     re.MULTILINE))


@dataclass
class Usage:
    cpu: float      # seconds, user and system
    wall: float
    rss_kib: int    # at its peak


def run(command, *, processor=None, **options):
    """Runs it to its end; of a list of strings this process alone counts, of a shell line (a string)
    all of the pipe."""
    shell = isinstance(command, str)
    full = ["bash", "-c", command] if shell else list(command)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen(full if processor is None else on(processor, *full), **options)
    peak = [0]  # of wait4() it would be this interpreter's, from which it was forked
    threading.Thread(target=watch_memory, args=(process.pid, peak), daemon=True).start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    if shell:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    else:
        cpu = used.ru_utime + used.ru_stime
    return Usage(cpu, wall, peak[0])


def watch_memory(pid, peak):
    """Sets peak[0] to the most KiB that it has held since its exec, until it ends."""
    try:
        while True:
            peak[0] = int(re.search(r"^VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("ascii"),
                                    re.MULTILINE)[1])
            time.sleep(0.01)
    except (OSError, TypeError):
        return


def least(count, measure):
    """The least CPU of some runs: what the others have more was somebody else's."""
    return min((measure() for _ in range(count)), key=lambda usage: usage.cpu)


def npm(folder, *packages):
    """Installs them there; False, with a word, if that cannot be done."""
    if shutil.which("npm") is None:
        return False
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts",
                           *packages], cwd=folder, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode == 0
