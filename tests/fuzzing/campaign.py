"""The campaign: each target in a process of its own, watched from outside, for its share."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzzing import findings
from tests.fuzzing.findings import KINDS, Finding
from tests.fuzzing.progress import Progress
from tests.rigs.patience import patience

HANG_S = 10.0
"""Of processor time for one input, or of waiting on a quiet machine."""

_TICK_S = 0.25
_START_S = 120.0
_COVERAGE = re.compile(rb"cov: (\d+)")
_TICKS = os.sysconf("SC_CLK_TCK")
_KEPT_LOG = 4000


@dataclass
class TargetReport:
    """What came of one target.

    Attributes:
        coverage: Branches of the product that were taken; None where nothing counts them.
        starts: Processes; more than one where one crashed or hung.
        findings: The first of each kind and place.
        failure: Why it could not be fuzzed at all; empty as a rule.
    """

    name: str
    cases: int = 0
    seconds: float = 0.0
    coverage: int | None = None
    starts: int = 0
    findings: list[Finding] = field(default_factory=list)
    failure: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the summary has it."""
        counts = Counter(finding.kind for finding in self.findings)
        return {
            "cases": self.cases,
            "seconds": round(self.seconds, 1),
            "coverage": self.coverage,
            "processes": self.starts,
            **{kind: counts[kind] for kind in KINDS},
            "findings": [vars(finding) for finding in self.findings],
            "failure": self.failure,
        }


@dataclass(frozen=True)
class Plan:
    """How long, how, and where.

    Attributes:
        seconds: For each target.
        cases: Most cases of each; 0 for as many as fit.
        plain: Without atheris, also where it is.
    """

    folder: Path
    seconds: float
    cases: int = 0
    seed: int = 0
    plain: bool = False


def run(targets: Sequence[str], plan: Plan, processes: int, tell: Callable[[str], None]) -> Any:
    """Fuzz the targets; the summary as JSON."""
    began = time.monotonic()
    with ThreadPoolExecutor(processes) as pool:
        reports = []
        for report in pool.map(lambda name: _Fuzzing(name, plan).run(), targets):
            reports.append(report)
            tell(_line(report))
    totals = Counter(finding.kind for report in reports for finding in report.findings)
    return {
        "seconds": round(time.monotonic() - began, 1),
        "cases": sum(report.cases for report in reports),
        **{kind: totals[kind] for kind in KINDS},
        "failed": [report.name for report in reports if report.failure],
        "targets": {report.name: report.to_json() for report in reports},
    }


def is_clean(summary: dict[str, Any]) -> bool:
    """Whether nothing was found, and every target was really fuzzed."""
    tried = all(report["cases"] for report in summary["targets"].values())
    return tried and not summary["failed"] and not any(summary[kind] for kind in KINDS)


def _line(report: TargetReport) -> str:
    counts = report.to_json()
    found = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind]) or "nothing"
    covered = "" if report.coverage is None else f", {report.coverage} branches"
    failed = f"; {report.failure}" if report.failure else ""
    return f"{report.name}: {report.cases} cases{covered}; found {found}{failed}"


class _Fuzzing:
    """One target, process after process until its time is over."""

    def __init__(self, name: str, plan: Plan) -> None:
        self._plan = plan
        self._folder = plan.folder / name
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "findings").mkdir(parents=True)
        self._progress = Progress(self._folder / "progress")
        self._report = TargetReport(name)

    def run(self) -> TargetReport:
        began = time.monotonic()
        try:
            while not self._report.failure and self._has_more(began):
                self._one_process(self._plan.seconds - (time.monotonic() - began))
        finally:
            self._report.cases = self._progress.cases
            self._report.seconds = time.monotonic() - began
            self._progress.close()
            (self._folder / "progress").unlink()
        found = findings.load(self._folder / "findings")
        self._report.findings = [finding for finding, _ in found]
        return self._report

    def _has_more(self, began: float) -> bool:
        if self._plan.cases and self._progress.cases >= self._plan.cases:
            return False
        return not self._report.starts or time.monotonic() - began < self._plan.seconds - 1.0

    def _one_process(self, seconds: float) -> None:
        before = self._progress.cases
        left = max(1, self._plan.cases - before) if self._plan.cases else 0
        words = [f"--seconds={max(1.0, seconds)}", f"--cases={left}"]
        words += [f"--seed={self._plan.seed + self._report.starts}"]
        words += ["--plain"] if self._plan.plain else []
        log = self._folder / f"log-{self._report.starts}"
        self._report.starts += 1
        with log.open("wb") as out:
            process = start(self._report.name, self._folder, words, out)
            hung = watch(process, self._progress)
        content = log.read_bytes()
        counted = _COVERAGE.findall(content)
        if counted:
            self._report.coverage = max(self._report.coverage or 0, *map(int, counted))
        self._judge(process.returncode, hung, content)

    def _judge(self, status: int, hung: bool, log: bytes) -> None:
        data = self._progress.current
        said = log[-_KEPT_LOG:].decode("utf-8", "replace")
        if data is None:
            if status != 0:
                self._report.failure = f"ended with {status} between two cases:\n{said}"
            return
        self._progress.end()
        kind = "hang" if hung else "crash"
        where = f"over {HANG_S:g} s" if hung else _name_of(status)
        if Finding(self._report.name, kind, where, said).save(self._folder / "findings", data):
            path = next((self._folder / "findings").glob(f"*-{kind}-*.bin"))
            path.write_bytes(self._smaller(data, status, hung))

    def _smaller(self, data: bytes, status: int, hung: bool) -> bytes:
        """A smaller input that ends a process in the same way; few are tried: each costs one."""
        room = self._folder / "smaller"

        def fails(shorter: bytes) -> bool:
            shutil.rmtree(room, ignore_errors=True)
            (room / "findings").mkdir(parents=True)
            (room / "input").write_bytes(shorter)
            process = start(self._report.name, room, [f"--again={room / 'input'}"], None)
            progress = Progress(room / "progress")
            again = watch(process, progress)
            progress.close()
            return again == hung and process.returncode == status

        small = findings.minimised(data, fails, 4 if hung else 24)
        shutil.rmtree(room, ignore_errors=True)
        return small


def start(name: str, folder: Path, words: Sequence[str], out: Any) -> subprocess.Popen[bytes]:
    """A process that fuzzes a target."""
    command = [sys.executable, "-m", "tests.fuzzing.child", name, f"--folder={folder}", *words]
    out = subprocess.DEVNULL if out is None else out
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def watch(process: subprocess.Popen[bytes], progress: Progress) -> bool:
    """Wait for its end; one that stays with a case for too long is ended, and that is True."""
    case, since, used = 0, time.monotonic(), 0.0
    ended = threading.Event()
    try:
        while process.poll() is None:
            if progress.cases != case:
                case, since, used = progress.cases, time.monotonic(), _processor_s(process.pid)
            elif progress.current is not None and (
                _processor_s(process.pid) - used > HANG_S
                or time.monotonic() - since > patience(HANG_S)
            ):
                return True
            elif time.monotonic() - since > patience(_START_S):
                return False
            ended.wait(_TICK_S)
        return False
    finally:
        process.kill()
        process.wait()


def _processor_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _name_of(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"
