"""The work on apps in a worker: check, run, test."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.api import Cancelled, InvalidData, UsageError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.features.apps.checks import check_of, networked
from studio.features.apps.context import DeskContext
from studio.features.apps.delivery import DeskDelivery, keep_outputs
from studio.features.apps.files import AppFiles, invalid
from studio.features.apps.results import AppCheck, AppProgress, AppRun
from studio.features.apps.step import AppCheckOptions, AppRunOptions, AppTestOptions
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.registry import Registry
from studio.registry.names import below
from studio.runtime.apps.document import ReplaySettings
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.event_match import match_events
from studio.runtime.apps.graph import AppGraph
from studio.runtime.apps.overlay import draw
from studio.runtime.apps.settings import AppError
from studio.runtime.apps.store import MemoryStore
from studio.settings.redaction import REDACTED

EVENTS = "events.jsonl"
_REPORT_S = 0.2
_PICTURE_S = 0.2
_PICTURE_WIDTH = 800
_MOST_EVENTS = 10_000
_MOST_EXPECTED = 64 << 20
_MOST_LISTED = 200
_RECORDINGS = {".csv": "csv", ".wav": "wav"}


def check(options: AppCheckOptions, job: Job) -> AppCheck:
    """Check an app without running it."""
    files = AppFiles.open(options.app)
    return check_of(files, variables_of(options.set))


def run(options: AppRunOptions, job: Job) -> AppRun:
    """Run an app until its sources end, the time is over, or the user stops it.

    Raises:
        InvalidData: when it cannot be used, in one sentence.
    """
    files = _with_recordings(AppFiles.open(options.app), options.replay)
    graph = files.graph(variables_of(options.set))
    refuse_code(files, graph, options)
    _refuse_network(files, graph, options)
    player = _Player(files, graph, options.threads, job, options.deliver)
    played = player.play(options.seconds)
    if options.events is not None:
        _write(job.folder / EVENTS, played.store)
    return played.result


def saved(registry: Registry, options: AppRunOptions, result: AppRun, folder: Path) -> AppRun:
    """Move the events to where the user wants them, and files of sinks to the app."""
    written = keep_outputs(AppFiles.open(options.app).folder, folder)
    result = replace(result, written=written or None)
    if options.events is None:
        return result
    options.events.write_bytes(below(folder, EVENTS).read_bytes())
    return replace(result, output=str(options.events))


@dataclass(frozen=True, slots=True)
class AppReplay:
    """A test of an app with all of its events, of which a result lists the newest.

    Attributes:
        found: Every event of the run.
        kinds: Kinds of events that are compared.
    """

    result: AppRun
    expected: tuple[Mapping[str, Any], ...]
    found: tuple[Mapping[str, Any], ...]
    kinds: tuple[str, ...]
    settings: ReplaySettings

    @property
    def frames(self) -> int:
        """Frames that were read."""
        return self.result.frames

    @property
    def failed(self) -> int:
        """Frames on which a step failed."""
        return self.result.failed


def test(options: AppTestOptions, job: Job) -> AppRun:
    """Replay the recordings of an app, and compare its events with those that are known.

    Raises:
        InvalidData: when it has no test, or cannot be used.
    """
    replay = replayed(options, job)
    settings, expected = replay.settings, replay.expected
    found = [row for row in replay.found if row["kind"] in replay.kinds]
    match = match_events(expected, found, settings.within_s, settings.compare)
    least = settings.f1 if options.least_f1 is None else options.least_f1
    result = replay.result
    return replace(
        result,
        expected=len(expected),
        matched=len(match.pairs),
        f1=round(match.f1, 4),
        missing=tuple(expected[at] for at in match.missing[:_MOST_LISTED]),
        extra=tuple(found[at] for at in match.extra[:_MOST_LISTED]),
        passed=match.f1 >= least and not result.failed,
    )


def replayed(options: AppTestOptions, job: Job) -> AppReplay:
    """Run the recordings of an app's test, and return its events with the known ones.

    Raises:
        InvalidData: when it has no test, or cannot be used.
    """
    files = AppFiles.open(options.app)
    settings = files.document.test
    if not settings.expected:
        raise InvalidData(
            "The app has no test.",
            hint="Add [test] with expected and variables to app.toml: see docs/apps.md.",
        )
    expected = _expected(files.path(settings.expected, "test"))
    graph = files.graph({**settings.variables, **variables_of(options.set)})
    live = [one.name for one in graph.sources if one.is_live]
    if live:
        raise InvalidData(
            f"The test would wait for the live source {live[0]}.",
            hint="Give a recording in its place: [test] variables in app.toml.",
        )
    refuse_code(files, graph, options)
    played = _Player(files, graph, 0, job).play(0.0)
    job.check()  # a test that was stopped has no result
    kinds = settings.kinds or tuple(dict.fromkeys(str(row.get("kind", "")) for row in expected))
    return AppReplay(played.result, tuple(expected), tuple(played.rows), kinds, settings)


def variables_of(given: Sequence[str]) -> dict[str, str]:
    """Return the variables of the command line.

    Raises:
        UsageError: for a text that is not NAME=VALUE.
    """
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"--set {text}: write NAME=VALUE.")
        if value == REDACTED:
            raise UsageError(
                f"The value of the variable {name.strip()} is not in the history.",
                hint=f"Give it again: --set {name.strip()}=VALUE.",
            )
        found[name.strip()] = value
    return found


def refuse_code(files: AppFiles, graph: AppGraph, options: AppRunOptions | AppTestOptions) -> None:
    """Refuse an app with Python code that the user has not agreed to run, or not as it is now.

    Raises:
        InvalidData: naming the part.
    """
    own = list(graph.own_code)
    if own and not options.allow_code:
        raise InvalidData(
            f"The part {own[0]} of {files.document.name} is Python code of the app.",
            hint="Read it, then agree to run it: --allow-code. It can read the folder of the app "
            "and the recordings, and has no network without --allow-network.",
        )
    if own and options.code and options.code != files.code_digest(graph):
        raise InvalidData(
            f"The Python code of {files.document.name} has changed since you agreed to run it.",
            hint="Check the app again, and read the code.",
        )


def _refuse_network(files: AppFiles, graph: AppGraph, options: AppRunOptions) -> None:
    """Refuse parts that need the network where own code is kept from it."""
    parts = networked(graph, options.deliver)
    if graph.own_code and parts and not options.allow_network:
        raise InvalidData(
            f"The part {parts[0]} needs the network, which the Python code of "
            f"{files.document.name} would then use, too.",
            hint="Agree to that with --allow-network, or replay a recording: --replay FILE.",
        )


class _Player:
    """One run of an app on the desk, with reports to the listeners of the job."""

    def __init__(
        self,
        files: AppFiles,
        graph: AppGraph,
        threads: int,
        job: Job,
        deliver: bool = False,
    ) -> None:
        self._job = job
        self.store = MemoryStore(files.document.name)
        self._delivery: DeskDelivery | None = None
        job.progress(0, 0, "Loading the models")
        try:
            context = DeskContext(files, threads, job.folder)
            self._engine = AppEngine(graph, context, self.store)
            if deliver:
                self._delivery = DeskDelivery(graph, context, job.folder / "outbox")
        except AppError as error:
            raise invalid(error) from None
        self._told = 0
        self._pictured_at = 0.0
        self._turn = 0
        self.result: AppRun

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The events as plain data."""
        return [event.to_json() for event in self.store.events]

    def play(self, seconds: float) -> _Player:
        """Run until the end; return itself, with the result."""
        engine, began, busy = self._engine, time.monotonic(), time.process_time()
        stopped = False
        engine.start()
        try:
            while not engine.wait(_REPORT_S):
                self._job.check()
                self._report()
                passed = time.monotonic() - began
                if seconds and passed >= seconds:
                    break
                text = f"{engine.latency.count} frames, {len(self.store.events)} events"
                self._job.progress(passed if seconds else 0, seconds, text)
        except Cancelled:
            stopped = True  # the usual end of a camera
        finally:
            engine.stop()
        self._report(send=not stopped)  # a job that was stopped sends its result alone
        if self._delivery is not None:
            self._delivery.finish()
        self.result = self._result(time.monotonic() - began, time.process_time() - busy)
        return self

    def _result(self, seconds: float, busy: float) -> AppRun:
        status: dict[str, Any] = self._engine.status()
        failed = [one for one in status["sources"].values() if one["state"] == "failed"]
        if failed and not status["frames"]:
            raise InvalidData(f"No frame could be read: {failed[0]['reason']}.")
        return AppRun(
            name=status["name"],
            sources=status["sources"],
            steps=status["steps"],
            frames=status["frames"],
            failed=status["failed"],
            seconds=round(seconds, 3),
            fps=round(status["frames"] / max(seconds, 1e-6), 2),
            busy_s=round(busy, 3),
            latency_ms=status["latency_ms"],
            events=tuple(self.rows[-_MOST_EVENTS:]),
            count=len(self.store.events),
            counts=status["events"],
            fault=status["fault"],
            sinks=None if self._delivery is None else self._delivery.status(),
        )

    def _report(self, send: bool = True) -> None:
        status: dict[str, Any] = self._engine.status()
        events = self.store.events[self._told :]
        self._told += len(events)
        if self._delivery is not None:
            self._delivery.add(events)
        report = AppProgress(
            frames=status["frames"],
            fps=status["fps"],
            events=tuple(event.to_json() for event in events[-_MOST_LISTED:]),
            sources=status["sources"],
            steps=status["steps"],
            latency_ms=status["latency_ms"],
            counts=status["events"],
        )
        if send:
            self._job.event("app", **to_json(self._with_picture(report)))

    def _with_picture(self, report: AppProgress) -> AppProgress:
        """Add a picture of one source now and then, each source in its turn."""
        now = time.monotonic()
        seen = [name for name, one in self._engine.latest.items() if _pixels(one.values, name)]
        if not seen or now - self._pictured_at < _PICTURE_S:
            return report
        self._pictured_at = now
        self._turn += 1
        source = seen[self._turn % len(seen)]
        result = self._engine.latest[source]
        pixels = result.values[source]
        content = draw(pixels, result, (), _PICTURE_WIDTH)
        height, width = pixels.shape[:2]
        text = base64.b64encode(content).decode("ascii")
        return replace(report, source=source, picture=text, width=width, height=height)


def _pixels(values: Mapping[str, Any], source: str) -> bool:
    return getattr(values.get(source), "ndim", 0) == 3


def _with_recordings(files: AppFiles, recordings: Sequence[Path]) -> AppFiles:
    """Return the app with recordings in place of its first sources."""
    sources = list(files.document.sources)
    if len(recordings) > len(sources):
        raise UsageError(f"The app has only {len(sources)} sources.")
    for at, path in enumerate(recordings):
        kind = "folder" if path.is_dir() else _RECORDINGS.get(path.suffix.lower(), "video")
        # A recording of the same type keeps its settings, such as the rate of a signal.
        same = sources[at].settings if sources[at].type == kind else {}
        sources[at] = sources[at]._replace(type=kind, settings={**same, "path": str(path)})
    return replace(files, document=files.document._replace(sources=tuple(sources)))


def _expected(path: Path) -> list[dict[str, JsonValue]]:
    rows = []
    try:
        if path.stat().st_size > _MOST_EXPECTED:
            raise InvalidData(f"{path.name} is too large for expected events.")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict) or "kind" not in row or "at_s" not in row:
                    raise InvalidData(f"{path.name}, line {number}: an event has kind and at_s.")
                rows.append(row)
    except (OSError, ValueError) as error:
        raise InvalidData(f"{path.name} cannot be read: {error}.") from None
    return rows


def _write(path: Path, store: MemoryStore) -> None:
    lines = [json.dumps(event.to_json(), ensure_ascii=False) + "\n" for event in store.events]
    path.write_text("".join(lines), encoding="utf-8")
