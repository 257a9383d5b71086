"""The work of a study in a worker: every board reserved, measured, given back."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from studio.api import Cancelled, Progress, StudioError, TargetSpec, UsageError
from studio.documents.dataclass_json import from_json, to_json
from studio.documents.defects import unforeseen
from studio.jobs import Job, run_contained
from studio.profiling import work as profiling
from studio.profiling.boards.choice import check_boards
from studio.profiling.boards.reservation import BoardReserved, Claim
from studio.profiling.boards.results import (
    FAILED,
    INCOMPLETE,
    MEASURED,
    MEASURING,
    RESERVED,
    StudyResult,
    StudyRow,
)
from studio.profiling.boards.saved_study import SavedStudy, place_of
from studio.profiling.boards.step import StudyOptions
from studio.profiling.boards.verdicts import METHOD, figures, overall, with_verdicts
from studio.profiling.record import ROUNDS_FILE
from studio.profiling.results import MeasuredEnvironment, ProfileResult
from studio.profiling.step import PROFILE, ProfileOptions
from studio.settings import Paths

_LOOK_S = 0.2
_DONE = (MEASURED,)


def study(options: StudyOptions, job: Job) -> StudyResult:
    """Measure on all boards and compare the variants over them.

    A board that cannot be measured costs its row alone.

    Raises:
        UsageError: when the boards, the mode or the study to resume do not fit.
        StudioError: when no board was measured, with the reason of the first.
    """
    targets = options.target or ()
    check_boards(targets)
    if options.mode == "tokens":
        raise UsageError("Language models are profiled on this computer, not on boards.")
    began = time.monotonic()
    place = place_of(Paths.of().data)
    if options.resume:
        saved = SavedStudy.find(place, options.resume, options)
    else:
        saved = SavedStudy.begin(place, options)
    job.event("study", name=saved.name)
    rows = with_verdicts(_Boards(options, saved, job).run())
    measured = [row for row in rows if row.profile]
    if not measured:
        raise StudioError(f"No board was measured. {rows[0].target}: {rows[0].reason}")
    return StudyResult(
        study=saved.name,
        complete=all(row.state in _DONE for row in rows),
        reference=measured[0].profile.reference if measured[0].profile else "",
        boards=tuple(rows),
        overall=overall(rows),
        method=METHOD,
        notes=tuple(_notes(rows, saved)),
        seconds=time.monotonic() - began,
    )


def _notes(rows: Sequence[StudyRow], saved: SavedStudy) -> Iterator[str]:
    missing = [row.target for row in rows if row.state not in _DONE]
    if missing:
        yield (
            f"{len(missing)} of {len(rows)} boards were not measured to the end: "
            f"{', '.join(missing)}. Repeat them with --resume {saved.name}."
        )
    references = {row.profile.reference for row in rows if row.profile}
    if len(references) > 1:
        names = ", ".join(sorted(references))
        yield f"The baseline is not the same on all boards ({names}): their ratios are not pooled."


class _Boards:
    """The boards of a study, several at a time."""

    def __init__(self, options: StudyOptions, saved: SavedStudy, job: Job) -> None:
        self._options = options
        self._saved = saved
        self._job = job
        self._targets = options.target or ()
        self._turns = _MachineTurns(job)
        self._shares = dict.fromkeys((one.name for one in self._targets), 0.0)

    def run(self) -> list[StudyRow]:
        """Measure; the rows are in the order of the targets."""
        with ThreadPoolExecutor(self._options.parallel, thread_name_prefix="board") as pool:
            waiting = [pool.submit(self._row, one) for one in self._targets]
            try:
                return [one.result() for one in waiting]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _row(self, target: TargetSpec) -> StudyRow:
        row = self._saved.row(target.name)
        if row is None:
            row = self._measured(target)
            if row.state == MEASURED:
                self._keep(row)
        self.share(target.name, 1.0, f"{target.name}: {row.state}")
        self._job.event("board", row=to_json(replace(row, profile=None)))
        return row

    def _measured(self, target: TargetSpec) -> StudyRow:
        """Measure on one board; a failure becomes its row."""
        began = time.monotonic()
        self._job.check()
        try:
            profile = self._profile(target)
        except Cancelled:
            raise
        except BoardReserved as error:
            return StudyRow(target.name, RESERVED, error.message)
        except StudioError as error:
            return StudyRow(target.name, FAILED, error.message)
        except Exception as error:  # of a plugin: it must not cost the rows of the others
            text = unforeseen(error)
            self._job.log(f"{target.name}: {text}")
            return StudyRow(target.name, FAILED, text)
        return StudyRow(
            target.name,
            MEASURED if profile.complete else INCOMPLETE,
            profile.interruption,
            arch=profile.environment.arch or "",
            chip=_chip(profile.environment),
            seconds=time.monotonic() - began,
            figures=figures(profile),
            profile=profile,
        )

    def _profile(self, target: TargetSpec) -> ProfileResult:
        """Return the profile of one board; its raw rounds are kept with its row."""
        folder = self._job.folder / f"board-{list(self._shares).index(target.name)}"
        folder.mkdir()
        job = _BoardJob(self, self._job, target.name, folder)
        options = _options_for(self._options, target)
        claim = Claim(self._saved.name, target.name, self._options.wait, self._turns.turn)
        if target.url.startswith("local:"):
            with self._turns.turn("local:"):
                return _contained(options, job)
        profile = profiling.profile_on(options, job, claim)
        shutil.move(folder / ROUNDS_FILE, self._saved.rounds_of(target.name))
        return profile

    def _keep(self, row: StudyRow) -> None:
        """Keep a finished board on the disk; one that cannot be kept is still in the table."""
        try:
            self._saved.keep(row)
        except OSError as error:
            self._job.log(f"{row.target} cannot be resumed later: {error.strerror or error}.")

    def share(self, name: str, share: float, text: str) -> None:
        """Report how far a board is; the study's progress is the mean of all."""
        self._shares[name] = max(self._shares[name], share)
        done = sum(self._shares.values()) / len(self._shares)
        self._job.progress(min(done, 1.0), 1.0, text)


class _BoardJob:
    """One board's part of the study's job."""

    def __init__(self, boards: _Boards, job: Job, name: str, folder: Path) -> None:
        self.folder = folder
        self._boards = boards
        self._job = job
        self._name = name
        self._begun = False

    def progress(self, done: float, total: float, text: str = "") -> None:
        if not self._begun:
            self._begun = True
            self._job.event("board", row=to_json(StudyRow(self._name, MEASURING)))
        self._boards.share(self._name, done / total if total else 0.0, f"{self._name}: {text}")

    def log(self, text: str) -> None:
        self._job.log(f"{self._name}: {text}")

    def check(self) -> None:
        self._job.check()

    def event(self, name: str, /, **values: Any) -> None:
        """Pass nothing on: the messages of several boards have the same labels."""


class _MachineTurns:
    """Turns of boards that are one machine, such as containers: they would disturb each other."""

    def __init__(self, job: Progress) -> None:
        self._job = job
        self._lock = threading.Lock()
        self._machines: dict[str, threading.Lock] = {}

    def turn(self, machine: str) -> AbstractContextManager[None]:
        """Return the turn on a machine; one without an identity has no other boards."""
        with self._lock:
            lock = self._machines.setdefault(machine, threading.Lock()) if machine else None
        return self._taken(lock or threading.Lock())

    @contextmanager
    def _taken(self, lock: threading.Lock) -> Iterator[None]:
        while not lock.acquire(timeout=_LOOK_S):
            self._job.check()
        try:
            yield
        finally:
            lock.release()


def _options_for(options: StudyOptions, target: TargetSpec) -> ProfileOptions:
    given = {one.name: getattr(options, one.name) for one in fields(ProfileOptions)}
    return ProfileOptions(**{**given, "target": target})


def _contained(options: ProfileOptions, job: Job) -> ProfileResult:
    """Measure on this computer in a worker of its own, which has neither network nor keys."""
    files = (options.data, options.meter, options.prompts)
    reads = (*(Path(one.path) for one in options.model), *(one for one in files if one))

    def keep(document: dict[str, Any], folder: Path) -> dict[str, Any]:
        return document

    return from_json(
        ProfileResult, run_contained("Profile", PROFILE.work, options, reads, keep, job)
    )


def _chip(environment: MeasuredEnvironment) -> str:
    return str(environment.board or environment.cpu or "")
