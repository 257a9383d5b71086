"""Kinds of gates: the value of a result that each evaluates, and its limits.

A gate reads some fields of a result's JSON form, which an earlier version may have written.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from studio.lazy_dataclass import dataclass
from studio.packages.signing import signed_by

NONE, WARNINGS = "none", "warnings"
"""Findings that a gate on checks allows; a deploy allows warnings."""

_LESS_IS_BETTER = ("cer", "kl", "perplexity")

Judged = tuple[float, str]
"""The value of a result, and its description."""

_Word = str | int | float
"""A setting, which a pipeline may also write as a number."""


class NoValue(Exception):
    """An error for a result without the value of a gate, with the reason."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of gate.

    Attributes:
        about: Description in a phrase.
        steps: Steps with such results; empty for ``value``.
        form: Fields of the result.
        value: Function that returns the value; raises ``NoValue``.
        settings: Names and types of its own settings.
        bounds: Limits that it needs: ``min``, ``max``, both, or none.
        default: Default limits.
    """

    about: str
    steps: tuple[str, ...]
    form: type
    value: Callable[[Any, GateSettings], Judged]
    settings: Mapping[str, type] | None = None
    bounds: tuple[str, ...] = ("min", "max")
    default: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Settings of a gate other than its limits, with references resolved.

    Attributes:
        against: Value of the metric in another evaluation.
        bound: The bound of an interval: ``low``, ``ratio`` or ``high``.
        b: Label of the candidate in the latency comparison; by default the slowest.
        provider: The execution provider; by default the one of each run.
        allow: Allowed licences.
        signers: File of the allowed signers.
        checks: The level of findings that are allowed.
    """

    against: _Word | None = None
    bound: _Word = "high"
    b: _Word | None = None
    provider: _Word = ""
    allow: tuple[_Word, ...] = ()
    signers: _Word = ""
    checks: _Word = WARNINGS


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str = ""
    value: float | None = None
    drop: float | None = None


@dataclass(frozen=True, slots=True)
class _Measured:
    metric: _Metric | None = None


def _drop(result: _Measured, settings: GateSettings) -> Judged:
    """Return the drop of a metric; for ``evaluate``, against another evaluation."""
    metric = result.metric or _Metric()
    if metric.drop is not None:
        return metric.drop, metric.name
    if metric.value is not None and settings.against is not None:
        lost = float(settings.against) - metric.value
        return -lost if metric.name in _LESS_IS_BETTER else lost, metric.name
    raise NoValue("no metric was measured")


@dataclass(frozen=True, slots=True)
class _Verdict:
    a: str
    b: str
    ratio: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class _Compared:
    """The comparisons of a profile, or of a study over its boards."""

    verdicts: tuple[_Verdict, ...] = ()
    overall: tuple[_Verdict, ...] = ()


def _ratio(result: _Compared, settings: GateSettings) -> Judged:
    """Return a bound of a latency ratio's interval, the worst of all comparisons."""
    if settings.bound not in ("low", "ratio", "high"):
        raise NoValue(f"an interval has no {str(settings.bound)!r}: low, ratio or high")
    bound = operator.attrgetter(settings.bound)
    compared = (*result.verdicts, *result.overall)
    verdicts = [one for one in compared if settings.b in (None, one.b)]
    if not verdicts:
        raise NoValue("nothing was compared")
    # A comparison without an interval counts as the worst, so it cannot hide a failure.
    worst = max(verdicts, key=lambda one: math.inf if bound(one) is None else bound(one))
    if bound(worst) is None:
        raise NoValue("the comparison has no interval")
    text = f"{worst.b} against {worst.a}: {_short(worst.ratio)}"
    return float(bound(worst)), f"{text}, {_short(worst.low)} to {_short(worst.high)}"


@dataclass(frozen=True, slots=True)
class _SizeChange:
    after: int


@dataclass(frozen=True, slots=True)
class _Sized:
    bytes: _SizeChange | float | None = None
    size_ratio: float | None = None


def _size(result: _Sized, settings: GateSettings) -> Judged:
    """Return the size of a model or a bundle in bytes."""
    size = result.bytes.after if isinstance(result.bytes, _SizeChange) else result.bytes
    if size is None:
        raise NoValue("it has no size")
    return float(size), f"{size / 1e6:.3g} MB"


def _size_ratio(result: _Sized, settings: GateSettings) -> Judged:
    if result.size_ratio is None:
        raise NoValue("it was not compared with another size")
    return float(result.size_ratio), ""


@dataclass(frozen=True, slots=True)
class _Placement:
    fallback: float | None = None


@dataclass(frozen=True, slots=True)
class _OperatorTimes:
    run: str = ""
    providers: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    placement: _Placement | None = None
    operators: tuple[_OperatorTimes, ...] | None = None


def _placement(result: _Placed, settings: GateSettings) -> Judged:
    """Return the smallest share of a provider in a run's operator time, over all variants.

    Without a provider, use the one of each run.
    """
    provider = str(settings.provider)
    if not provider:
        fallback = result.placement.fallback if result.placement else None
        if fallback is None:
            raise NoValue("where the model ran is not known")
        return 1 - fallback, "where it was asked to run"
    shares = {}
    for table in result.operators or ():
        providers = table.providers or {}
        total = sum(providers.values())
        if total:
            named = [v for k, v in providers.items() if provider.lower() in k.lower()]
            shares[table.run] = sum(named) / total
    if not shares:
        raise NoValue("no operator was timed: the profile needs operators = true")
    worst = min(shares, key=lambda name: shares[name])
    return shares[worst], f"{worst} on {provider}".strip()


@dataclass(frozen=True, slots=True)
class _Problem:
    text: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class _Covered:
    covered: bool | None = None
    problems: tuple[_Problem, ...] = ()
    runtime: str = ""


def _coverage(result: _Covered, settings: GateSettings) -> Judged:
    """Return 1 if the runtime loads the model, else 0."""
    if result.covered is None:
        raise NoValue("coverage was not asked for")
    problems = [one.text or one.code for one in result.problems]
    return float(result.covered), "; ".join(problems[:2]) or result.runtime


@dataclass(frozen=True, slots=True)
class _Licensed:
    licence: str | None = None
    license: str | None = None


def _licence(result: _Licensed, settings: GateSettings) -> Judged:
    """Return 1 if the model's licence is allowed, else 0."""
    licence = result.licence or result.license
    if not licence:
        raise NoValue("the model does not say its licence")
    allowed = {str(one).lower() for one in settings.allow}
    return float(licence.lower() in allowed), licence


@dataclass(frozen=True, slots=True)
class _Packaged:
    bundle: str | None = None
    findings: tuple[_Finding, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Finding:
    level: str
    text: str


def _signature(result: _Packaged, settings: GateSettings) -> Judged:
    """Return 1 if the bundle is signed, by an allowed signer if a file is given, else 0."""
    if not result.bundle:
        raise NoValue("there is no bundle")
    signers = Path(str(settings.signers)) if settings.signers else None
    signed, text = signed_by(Path(result.bundle), signers)
    return float(signed), text


def _checks(result: _Packaged, settings: GateSettings) -> Judged:
    """Return 1 if the checks of a package have no forbidden finding, else 0."""
    if result.findings is None:
        raise NoValue("the model was not checked")
    if settings.checks not in (WARNINGS, NONE):
        raise NoValue(f"checks = {settings.checks!r} is neither {NONE} nor {WARNINGS}")
    forbidden = ("error", "warning") if settings.checks == NONE else ("error",)
    texts = [one.text for one in result.findings if one.level in forbidden]
    return float(not texts), "; ".join(texts[:2])


def _any(result: object, settings: GateSettings) -> Judged:
    raise NoValue("it has no value")


_MADE = ("quantize", "edit", "open")
_YES = {"min": 1.0}

KINDS: Mapping[str, Kind] = {
    "value": Kind("any number of a result", (), object, _any),
    "metric-drop": Kind(
        "what a metric loses",
        ("quantize", "evaluate"),
        _Measured,
        _drop,
        {"against": str},
        bounds=("max",),
    ),
    "latency-ratio": Kind(
        "a bound of the interval of a latency ratio",
        ("profile", "study"),
        _Compared,
        _ratio,
        {"bound": str, "b": str},
    ),
    "size": Kind("bytes", (*_MADE, "package"), _Sized, _size),
    "size-ratio": Kind(
        "the size beside that of the model it was made from", _MADE, _Sized, _size_ratio
    ),
    "placement": Kind(
        "the share of the time that runs where it should",
        ("profile",),
        _Placed,
        _placement,
        {"provider": str},
        bounds=("min",),
    ),
    "coverage": Kind(
        "whether a runtime loads the model",
        ("coverage",),
        _Covered,
        _coverage,
        bounds=(),
        default=_YES,
    ),
    "licence": Kind(
        "whether the model's licence is an allowed one",
        ("open",),
        _Licensed,
        _licence,
        {"allow": list},
        bounds=(),
        default=_YES,
    ),
    "signature": Kind(
        "whether a bundle is signed",
        ("package", "sign"),
        _Packaged,
        _signature,
        {"signers": str},
        bounds=(),
        default=_YES,
    ),
    "checks": Kind(
        "whether the plugins' checks found nothing",
        ("package", "image"),
        _Packaged,
        _checks,
        {"checks": str},
        bounds=(),
        default=_YES,
    ),
}


def _short(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
