"""Figures computed again from the files of an evidence folder."""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy

from studio.api import Array, InvalidData, UsageError
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.features.evidence.apps.event_quality import EventMatching, event_quality
from studio.features.evidence.explanations.agreement import rank_correlation
from studio.features.evidence.folder.chains import place_of, read_export
from studio.features.evidence.folder.manifest import is_plain_name, read_bytes
from studio.features.evidence.groups.intervals import mean_interval
from studio.features.evidence.groups.measure import measure
from studio.features.evidence.groups.sample_table import SampleTable
from studio.features.evidence.incidents.results import IncidentState
from studio.features.evidence.incidents.store import unbroken
from studio.features.evidence.market.grid import GridFactor, grams_of
from studio.features.evidence.results import (
    DIFFERS,
    NOT_POSSIBLE,
    RECOMPUTED,
    CheckedFigure,
    Figure,
)
from studio.features.evidence.robustness.figure_table import FigureTable
from studio.lazy_dataclass import dataclass
from studio.profiling.build import round_times, verdicts_of
from studio.profiling.recording import Recording
from studio.runtime.bench.config import Config
from studio.runtime.bench.events import BenchResult, CandidateState, InterimCheckMade, Round
from studio.runtime.bench.statistics import percentiles

MOST_BYTES = 256 << 20
"""Largest record that is read."""

TOLERANCE = 1e-9
"""Relative difference from rounding in another order of sums; anything more is a difference."""


@dataclass(slots=True)
class EvidenceFolder:
    """The files of an evidence folder, each parsed once."""

    path: Path
    _parsed: dict[tuple[str, str], Any] = field(default_factory=dict)

    def content(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            InvalidData: when it cannot be read.
        """
        path = self.path / name
        above = [one for one in path.parents if one != self.path and self.path in one.parents]
        if not is_plain_name(name) or any(one.is_symlink() for one in above):
            raise InvalidData("A figure names a file outside the folder.")
        try:
            return read_bytes(path, MOST_BYTES)
        except OSError:
            raise InvalidData(f"{name} cannot be read.") from None

    def parsed(self, name: str, kind: str, parser: Callable[[bytes], Any]) -> Any:
        """Return what a parser makes of a file; a second call takes the same object.

        Raises:
            InvalidData: when the file cannot be read or parsed.
        """
        if (name, kind) not in self._parsed:
            try:
                self._parsed[name, kind] = parser(self.content(name))
            except _DAMAGE as error:
                raise InvalidData(f"{name} is damaged: {error}") from None
        return self._parsed[name, kind]

    def json(self, name: str) -> Any:
        """Return a JSON document."""
        return self.parsed(name, "json", read_json)


def read_json(content: bytes) -> Any:
    """Return a JSON document without doubled keys."""
    return json.loads(content, object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object; of a doubled key, two programs would show two values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


_DAMAGE = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError),
    *(EOFError, csv.Error, zipfile.BadZipFile, InvalidDocument),
)
"""What a parser raises for a file that is not as it was written."""

Method = Callable[[EvidenceFolder, str, Mapping[str, Any]], float]
"""How a value follows from a file: called with the folder, the file's name and arguments."""


def field_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return a number of a JSON record.

    Args:
        arguments: ``place``: keys and positions from the top; ``value``: a last key, in whose
            place ``low`` and ``high`` are the bounds of an interval.
    """
    value = folder.json(file)
    for step in (*arguments["place"], *filter(None, [arguments.get("value")])):
        value = value[step]
    return float(value)


def number_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return how many entries of a list have given values.

    Args:
        arguments: ``place``: of the list; ``having``: values by key.
    """
    rows = folder.json(file)
    for step in arguments["place"]:
        rows = rows[step]
    having = arguments.get("having", {})
    return float(sum(all(row.get(key) == value for key, value in having.items()) for row in rows))


def latency_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return a percentile of a candidate's latency, in milliseconds, from the raw rounds.

    Args:
        arguments: ``run``: the candidate; ``percentile``: ``p50``, ``p90`` or ``p99``.
    """
    recording = _recording(folder, file)
    blocks = (one.times_ns.get(arguments["run"], []) for one in recording.clean_rounds)
    found = percentiles.latency([time for block in blocks for time in block])
    return float(getattr(found, arguments["percentile"]))


def processor_time_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return the median over rounds of a candidate's processor time, in milliseconds."""
    import statistics

    taken = round_times(_recording(folder, file), arguments["run"], "cpu")
    return statistics.median(time for time in taken if time == time) / 1e6


def verdict_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return the ratio of two candidates' latencies, or a bound of its interval.

    Args:
        arguments: ``a``, ``b``: the candidates; ``value``: ``ratio``, ``low`` or ``high``.
    """
    found, _ = folder.parsed(
        file, "verdicts", lambda content: verdicts_of(_read_recording(content))
    )
    pair = (arguments["a"], arguments["b"])
    verdict = next(one for one in found if (one.a, one.b) == pair)
    return float(getattr(verdict, arguments["value"]))


def quality_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return a figure of quality by group, from the table of samples.

    Args:
        arguments: ``by``, ``seed`` and ``least`` of the report; ``place`` and ``value`` in it.
    """
    by, seed, least = tuple(arguments["by"]), arguments["seed"], arguments["least"]

    def report(content: bytes) -> Any:
        return to_json(measure(SampleTable.of_csv(content.decode(), file), seed, by, least))

    value = folder.parsed(file, f"quality {by} {seed} {least}", report)
    for step in (*arguments["place"], arguments["value"]):
        value = value[step]
    return float(value)


def robustness_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return the mean figure under a corruption, or a bound of its interval.

    Args:
        arguments: ``corruption``, ``severity``, ``seed``; ``value``: ``value``, ``low``, ``high``.
    """
    table = folder.parsed(file, "corrupted", lambda content: FigureTable.read(content.decode()))
    values = table.of(arguments["corruption"], arguments["severity"])
    if arguments["value"] == "value":
        return float(values.mean())
    return float(getattr(mean_interval(values, arguments["seed"]), arguments["value"]))


def decisions_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return a count of an exported record of decisions whose chain is whole.

    Args:
        arguments: ``count``: a field of ``EntryCounts``.

    Raises:
        InvalidData: with the place at which the chain is broken.
    """
    found = folder.parsed(file, "decisions", lambda content: read_export(file, content))
    if found.fault is not None:
        raise InvalidData(f"The record is broken at {place_of(found.fault)}.")
    return float(getattr(found.tally.counts, arguments["count"]))


def agreement_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return the rank correlation of two maps of a file (.npz).

    Args:
        arguments: ``first``, ``second``: names of the maps.
    """
    maps = folder.parsed(file, "maps", read_maps)
    return rank_correlation(maps[arguments["first"]], maps[arguments["second"]])


def read_maps(content: bytes) -> dict[str, Array]:
    """Return the arrays of a file (.npz) by name.

    Raises:
        ValueError: when they are larger than a record may be.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(one.file_size for one in archive.infolist()) > MOST_BYTES:
            raise ValueError("its arrays are too large")
    with numpy.load(io.BytesIO(content), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def events_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return precision, recall or F1 score of the events of an app, or a bound of its interval.

    Args:
        arguments: ``expected``: file of the known events; ``within_s``, ``compare``, ``kinds``:
            when two are the same; ``kind``: the only one that counts, or empty; ``measure``:
            ``precision``, ``recall`` or ``f1``; ``value``: ``value``, ``low`` or ``high``.
    """
    matching = EventMatching(
        float(arguments["within_s"]), tuple(arguments["compare"]), tuple(arguments["kinds"])
    )
    lists = folder.json(arguments["expected"]), folder.json(file)
    quality = event_quality(*lists, matching, arguments["kind"])
    return float(getattr(getattr(quality, arguments["measure"]), arguments["value"]))


def emissions_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return the grams of carbon dioxide of a million inferences, or a bound of their interval.

    Args:
        arguments: ``place`` and ``value`` of the millijoules of an inference, as of ``field_of``;
            ``grid``: the file with the factor.
    """
    grid = from_json(GridFactor, folder.json(arguments["grid"]))
    return grams_of(field_of(folder, file, arguments), grid.grams_per_kwh)


def unbroken_of(folder: EvidenceFolder, file: str, arguments: Mapping[str, Any]) -> float:
    """Return how many entries of incidents come before the first broken link of their chains."""
    incidents = [from_json(IncidentState, one) for one in folder.json(file)]
    return float(unbroken(one.entries for one in incidents))


METHODS: dict[str, Method] = {
    "field": field_of,
    "number": number_of,
    "emissions": emissions_of,
    "unbroken": unbroken_of,
    "latency": latency_of,
    "processor time": processor_time_of,
    "verdict": verdict_of,
    "quality": quality_of,
    "robustness": robustness_of,
    "decisions": decisions_of,
    "agreement": agreement_of,
    "events": events_of,
}


def checked(folder: EvidenceFolder, figure: Figure) -> CheckedFigure:
    """Compute a figure again and compare it, with the bounds of its interval."""
    method = METHODS.get(figure.method)
    if method is None:
        why = f"this studio does not know the method {figure.method!r}"
        return CheckedFigure(figure.id, NOT_POSSIBLE, figure.value, why=why)
    try:
        found = method(folder, figure.file, figure.arguments)
        bounds = [
            (wanted, method(folder, figure.file, {**figure.arguments, **bound}))
            for wanted, bound in _bounds(figure)
        ]
    except (InvalidData, UsageError) as error:
        return CheckedFigure(figure.id, NOT_POSSIBLE, figure.value, why=error.message)
    except (*_DAMAGE, StopIteration):
        why = f"{figure.file} does not have it"
        return CheckedFigure(figure.id, DIFFERS, figure.value, why=why)
    same = all(equal(*pair) for pair in ((figure.value, found), *bounds))
    return CheckedFigure(figure.id, RECOMPUTED if same else DIFFERS, figure.value, found)


def equal(one: float, other: float) -> bool:
    """Return whether two values are the same but for the order of sums."""
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12) or (one != one != other)


def _bounds(figure: Figure) -> list[tuple[float, Mapping[str, Any]]]:
    """Return the bounds of the interval with what their recomputation takes instead."""
    given = {"low": figure.low, "high": figure.high}
    return [(value, {"value": name}) for name, value in given.items() if value is not None]


def _recording(folder: EvidenceFolder, file: str) -> Recording:
    recording: Recording = folder.parsed(file, "rounds", _read_recording)
    return recording


def _read_recording(content: bytes) -> Recording:
    """Return the recording of a bench, from its raw rounds."""
    document = read_json(content)
    recording = Recording(from_json(Config, document["config"]))
    recording.result = result = from_json(BenchResult, document["result"])
    for row in document["rounds"]:
        recording.add(from_json(Round, row))
    for candidate in result.candidates:
        recording.add(from_json(CandidateState, {"id": candidate.id, "state": candidate.state}))
    if result.looks is not None:  # the level of the last check is that of the verdicts
        for alpha in result.looks.alpha[: result.looks.used]:
            recording.add(InterimCheckMade(True, len(recording.rounds), alpha))
    return recording
