"""The builds under test, and the tests of theirs that are programs of their own: the cases of the
Catch2 binary and the libFuzzer targets."""
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

BLACK_BOX_ASAN = "detect_leaks=0"  # the unit tests look for leaks, and the black-box rows with SSE_SANITIZED=all
TESTS = Path(__file__).parent.parent
CASE = re.compile(r'TEST_CASE\(((?:\s*"(?:[^"\\]|\\.)*")+)')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
FUZZ_SECONDS = int(os.environ.get("SSE_FUZZ_SECONDS", "4"))  # for each target


@dataclass(frozen=True)
class Build:
    name: str  # release, asan, tsan
    directory: Path
    sse: Path
    unit: Path | None = None   # the Catch2 binary
    fuzz: Path | None = None   # where the fuzz targets are

    @property
    def portable(self):
        """Built with SSE_PORTABLE: without the calls that only Linux has."""
        cache = self.directory / "CMakeCache.txt"
        return cache.exists() and "\nSSE_PORTABLE:BOOL=ON\n" in cache.read_text(encoding="utf-8")


def builds():
    named = os.environ.get("SSE_BUILDS")
    if named:
        pairs = (entry.split(":", 1) for entry in named.split(","))
        return [Build(name, d, d / "sse", d / "tests/sse_unit", d / "tests")
                for name, d in ((name, Path(d).resolve()) for name, d in pairs)]
    binary = os.environ.get("SSE_BIN")
    return [Build("release", Path(binary).resolve().parent, Path(binary).resolve())] if binary else []


BUILDS = builds()


class CppFile(pytest.File):
    """A file of Catch2 test cases or a fuzz target."""

    def collect(self):
        if self.path.stem.endswith("_fuzz"):
            for build in BUILDS:
                if build.fuzz and (build.fuzz / self.path.stem).exists():
                    yield Fuzz.from_parent(self, name=f"{self.path.stem}[{build.name}]", build=build)
            return
        source = self.path.read_text(encoding="utf-8")
        cases = ["".join(LITERAL.findall(match[1])).replace('\\"', '"').replace("\\\\", "\\")
                 for match in CASE.finditer(source)]
        for build in BUILDS:
            if not build.unit or not cases:
                continue
            if build.name == "release":
                for case in cases:
                    yield UnitCase.from_parent(self, name=f"{case}[{build.name}]", build=build, case=case)
            elif build.name != "tsan" or "<thread>" in source:
                yield UnitFile.from_parent(self, name=f"{self.path.stem}[{build.name}]", build=build)


class Program(pytest.Item):
    """A test that is a program: it passes if that ends with 0."""

    def __init__(self, *, build, **kwargs):
        super().__init__(**kwargs)
        self.build = build

    def command(self):
        raise NotImplementedError

    def runtest(self):
        env = {name: value for name, value in os.environ.items() if (name, value) != ("ASAN_OPTIONS", BLACK_BOX_ASAN)}
        done = subprocess.run(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=env, check=False)
        if done.returncode != 0:
            raise Failed(done.stdout.decode("utf-8", "replace")[-20_000:])

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, self.name


class Failed(Exception):
    pass


class UnitCase(Program):
    """One TEST_CASE of the Catch2 binary."""

    def __init__(self, *, case, **kwargs):
        super().__init__(**kwargs)
        self.case = case

    def command(self):
        # a name is a pattern to Catch2: what it would take for syntax is escaped
        exact = re.sub(r"([\\,\[\]*\"])", r"\\\1", self.case)
        exact = re.sub(r"^-+", "*", exact)  # nor is it an option
        return [str(self.build.unit), exact, "--warn", "NoTests"]


class UnitFile(Program):
    """All TEST_CASEs of a file in one process: with a sanitizer, most of the time of one goes into its start."""

    def command(self):
        return [str(self.build.unit), "--filenames-as-tags", f"[#{self.path.stem}]", "--warn", "NoTests"]


class Fuzz(Program):
    """One fuzz target, for a while, from the corpus in the repository; what it finds stays in the
    build directory."""

    def command(self):
        target = self.path.stem
        found = self.build.fuzz / f"{target}-found"
        found.mkdir(exist_ok=True)
        corpus = self.path.parent / "corpus" / target.removesuffix("_fuzz")
        assert any(corpus.iterdir()), f"no corpus in {corpus}"
        return [str(self.build.fuzz / target), f"-max_total_time={FUZZ_SECONDS}", "-timeout=20",
                f"-artifact_prefix={found}/", f"-dict={self.path.parent / 'sse.dict'}",
                str(found), str(corpus)]
