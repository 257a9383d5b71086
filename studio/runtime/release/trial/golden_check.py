"""The inside of a probe: load the model, run the golden samples, compare and time them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Dict, NamedTuple

from ...backends.backend_model import BackendModel, LoadSettings
from ...backends.catalog import ServingBackend, backend_of
from ...backends.loader import version_of
from ...backends.onnx_runtime import OnnxModel
from ...backends.placement import ModelPlacement
from ...backends.providers import AUTO, Acceleration
from ...generate.any_model import load_any_model
from ...generate.text_model import TextSettings, text_settings
from ...shared import manifest
from ...shared.errors import LoadError, ReleaseError
from ...shared.records import read
from ..store.layout import Layout

_TIMED_RUNS = 9
_TIMED_MS = 10_000.0
_ANSWER = 8
"""Tokens that a language model answers a prompt with."""


class SampledOutput(NamedTuple):
    """Of a large output some values, their places in it when it is flat, and its shape."""

    values: Any
    places: Any
    shape: Any


class TrialRequest(NamedTuple):
    """A release whose golden samples are run.

    Attributes:
        providers: Execution providers, as its server will have them.
    """

    release: str
    providers: str = AUTO


class Tolerance(NamedTuple):
    """The largest differences that are allowed from the golden samples."""

    rtol: float
    atol: float


def run_trial(layout: Layout, request: Mapping[str, object]) -> dict[str, object]:
    """Run every golden sample of a release.

    Returns:
        ``samples``, ``mismatches``, ``max_error`` (largest absolute difference), ``atol``,
        ``first_ms``, ``latency_ms`` (median), the ``backend`` and its ``version``. Then the
        ``providers`` that compute, and the ``fallback``: why not the wanted ones.
    """
    asked = read(TrialRequest, request)
    folder = layout.release(asked.release)
    what = manifest.read(folder)
    acceleration = Acceleration(asked.providers or AUTO, layout.engines / asked.release)
    try:
        text = text_settings(what.raw.get("generation"))._replace(answer=_ANSWER)
    except ValueError as fault:
        sentence = "Generation cannot be set up: {}".format(fault)
        raise ReleaseError("not-loadable", sentence) from None
    model, backend = _load(folder / what.model, what.backend, acceleration, text)
    allowed = read(Tolerance, what.raw["golden"])
    rtol, atol = float(allowed.rtol), float(allowed.atol)
    samples = sorted((folder / "golden").glob("*.npz"))
    worst, mismatches, first_ms = 0.0, 0, 0.0
    feeds: dict[str, Any] = {}
    for number, path in enumerate(samples):
        feeds, expected = read_sample(path)
        start = time.perf_counter()
        answers = _answers(model, feeds, sorted(expected))
        if number == 0:
            first_ms = (time.perf_counter() - start) * 1e3
        error, same = compare(answers, expected, rtol, atol)
        worst, mismatches = max(worst, error), mismatches + (not same)
    placement = model.placement if isinstance(model, OnnxModel) else ModelPlacement()
    return {
        "samples": len(samples),
        "mismatches": mismatches,
        "max_error": worst,
        "atol": atol,
        "first_ms": first_ms,
        "latency_ms": _latency(model, feeds),
        "backend": backend.distribution,
        "version": model.version,
        "fallback": placement.fallback,
        "providers": list(placement.used),
    }


def _load(
    path: Path, wanted: str, acceleration: Acceleration, text: TextSettings
) -> tuple[BackendModel, ServingBackend]:
    try:
        backend = backend_of(path, wanted)
    except LoadError as error:
        raise ReleaseError("not-loadable", str(error)) from None
    try:
        settings = LoadSettings(acceleration=acceleration)
        return load_any_model(path, backend, settings, text), backend
    except ImportError as error:
        raise ReleaseError(
            "no-{}".format(backend.id),
            "{} does not load on this target: {}.".format(backend.distribution, error),
        ) from None
    except LoadError as error:
        raise ReleaseError(
            "not-loadable",
            "{} {} on this target cannot load the model.".format(
                backend.distribution, version_of(backend)
            ),
            "The model's operator set may be too new for it.",
            str(error),
        ) from None


def _answers(model: BackendModel, feeds: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    try:
        answers = model.run(names, dict(feeds), None)
        return {name: answers[number] for number, name in enumerate(names)}
    except Exception as error:  # the backends have no common base class
        raise ReleaseError(
            "not-runnable", "The model fails on this target.", detail=str(error)
        ) from None


def read_sample(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs and the expected outputs of one golden sample, by name."""
    import numpy

    arrays: Dict[str, Any] = {}
    for part in (path, path.parent / "inputs" / path.name):  # older bundles have one file for both
        if part == path or part.exists():
            with numpy.load(str(part), allow_pickle=False) as found:
                arrays.update((name, found[name]) for name in found.files)
    feeds = {name[3:]: arrays[name] for name in arrays if name.startswith("in.")}
    expected = {
        name[4:]: SampledOutput(arrays[name], arrays["at." + name[4:]], arrays["shape." + name[4:]])
        if "at." + name[4:] in arrays
        else arrays[name]
        for name in arrays
        if name.startswith("out.")
    }
    return feeds, expected


def compare(
    answers: Mapping[str, Any], expected: Mapping[str, Any], rtol: float, atol: float
) -> tuple[float, bool]:
    """Return the largest absolute difference, and whether all of it is within the tolerance."""
    import numpy

    worst, same = 0.0, True
    for name, wanted in expected.items():
        found = numpy.asarray(answers[name])
        if isinstance(wanted, SampledOutput):
            if found.shape != tuple(wanted.shape):
                return float("inf"), False
            found, wanted = found.reshape(-1)[wanted.places], wanted.values
        if found.shape != wanted.shape:
            return float("inf"), False
        if wanted.dtype.kind not in "fiub":
            same = same and bool(numpy.array_equal(found, wanted))
            continue
        a, b = found.astype("float64"), wanted.astype("float64")
        same = same and bool(numpy.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True))
        if a.size:
            worst = max(worst, float(numpy.nan_to_num(numpy.abs(a - b)).max()))
    return worst, same


def _latency(model: BackendModel, feeds: Mapping[str, Any]) -> float:
    """Median of a few runs, in milliseconds, of fewer where they take long; 0 without a sample."""
    if not feeds:
        return 0.0
    names = [each.name for each in model.outputs]
    times = []
    for _ in range(_TIMED_RUNS):
        start = time.perf_counter()
        model.run(names, dict(feeds), None)
        times.append((time.perf_counter() - start) * 1e3)
        if sum(times) > _TIMED_MS:
            break
    return statistics.median(times)
