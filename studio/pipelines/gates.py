"""The gates of a pipeline: kinds of limits, and whether a result keeps within them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import StudioError
from studio.documents.toml_text import TomlText
from studio.packages.signing import signed_by
from studio.pipelines.pipeline import Gate
from studio.pipelines.references import look_up, references, substitute
from studio.pipelines.run_report import GateReport

NONE, WARNINGS = "none", "warnings"
"""Findings that a gate on checks allows; a deploy allows warnings."""

_LESS_IS_BETTER = ("cer",)
_COMMON = ("name", "kind", "of", "value", "min", "max")

Json = Mapping[str, Any]


class NoValue(Exception):
    """A result does not say what the gate asks for; the text is why."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of gate.

    Attributes:
        about: What it judges, in a phrase.
        steps: The steps whose results it can judge; empty for ``value``.
        value: The figure in a result; raises ``NoValue``.
        settings: What it takes beside a name, ``of`` and limits, with the type of each.
        bounds: Which limits it needs: some of ``min`` and ``max``, or none of them.
        default: The limits that hold where none is given.
    """

    about: str
    steps: tuple[str, ...]
    value: Callable[[Json, Mapping[str, Any]], tuple[float, str]]
    settings: Mapping[str, type] | None = None
    bounds: tuple[str, ...] = ("min", "max")
    default: Mapping[str, float] | None = None


def _drop(result: Json, settings: Json) -> tuple[float, str]:
    """How much of a metric was lost; of ``evaluate``, against another evaluation."""
    metric = result.get("metric")
    if isinstance(metric, Mapping) and metric.get("drop") is not None:
        return float(metric["drop"]), str(metric.get("name") or "")
    if isinstance(metric, Mapping) and "value" in metric and settings.get("against") is not None:
        lost = float(settings["against"]) - float(metric["value"])
        return -lost if metric["name"] in _LESS_IS_BETTER else lost, str(metric["name"])
    raise NoValue("no metric was measured")


def _ratio(result: Json, settings: Json) -> tuple[float, str]:
    """The bound of the interval of a latency ratio."""
    bound = str(settings.get("bound") or "high")
    if bound not in ("low", "ratio", "high"):
        raise NoValue(f"an interval has no {bound!r}: low, ratio or high")
    verdicts = [v for v in result.get("verdicts", ()) if settings.get("b") in (None, v["b"])]
    if not verdicts:
        raise NoValue("nothing was compared")
    worst = max(verdicts, key=lambda v: float(v[bound] if v[bound] is not None else "inf"))
    if worst[bound] is None:
        raise NoValue("the comparison has no interval")
    text = f"{worst['b']} against {worst['a']}: {_short(worst['ratio'])}"
    return float(worst[bound]), f"{text}, {_short(worst['low'])} to {_short(worst['high'])}"


def _size(result: Json, settings: Json) -> tuple[float, str]:
    """Bytes of a model, or of a bundle."""
    size = result.get("bytes")
    size = size.get("after") if isinstance(size, Mapping) else size
    if size is None:
        raise NoValue("it has no size")
    return float(size), f"{float(size) / 1e6:.3g} MB"


def _size_ratio(result: Json, settings: Json) -> tuple[float, str]:
    if result.get("size_ratio") is None:
        raise NoValue("it was not compared with another size")
    return float(result["size_ratio"]), ""


def _placement(result: Json, settings: Json) -> tuple[float, str]:
    """The least share of a run's operator time that a provider had, over all variants.

    Without a provider that of the one that each run asked for.
    """
    provider = str(settings.get("provider") or "")
    if not provider:
        fallback = (result.get("placement") or {}).get("fallback")
        if fallback is None:
            raise NoValue("where the model ran is not known")
        return 1 - fallback, "where it was asked to run"
    shares = {}
    for table in result.get("operators") or ():
        providers = {str(k): float(v) for k, v in _shares(table).items()}
        total = sum(providers.values())
        if total:
            share = sum(v for k, v in providers.items() if provider.lower() in k.lower())
            shares[str(table.get("run") or "")] = share / total
    if not shares:
        raise NoValue("no operator was timed: the profile needs operators = true")
    worst = min(shares, key=lambda name: shares[name])
    return shares[worst], f"{worst} on {provider}".strip()


def _shares(table: Json) -> Json:
    found = table.get("providers") or {}
    return found if isinstance(found, Mapping) else {str(r["name"]): r["share"] for r in found}


def _coverage(result: Json, settings: Json) -> tuple[float, str]:
    """1 when the runtime loads the model, else 0."""
    if "covered" not in result:
        raise NoValue("coverage was not asked for")
    problems = [str(one.get("text") or one.get("code") or one) for one in result["problems"]]
    return float(bool(result["covered"])), "; ".join(problems[:2]) or str(result["runtime"])


def _licence(result: Json, settings: Json) -> tuple[float, str]:
    """1 when the model's own licence is among the allowed ones, else 0."""
    found = str(result.get("licence") or result.get("license") or "")
    if not found:
        raise NoValue("the model does not say its licence")
    allowed = {str(one).lower() for one in settings.get("allow") or ()}
    return float(found.lower() in allowed), found


def _signature(result: Json, settings: Json) -> tuple[float, str]:
    """1 when the bundle is signed, by one of the signers where a file of them is given, else 0."""
    if not result.get("bundle"):
        raise NoValue("there is no bundle")
    signers = settings.get("signers")
    signed, text = signed_by(Path(str(result["bundle"])), Path(str(signers)) if signers else None)
    return float(signed), text


def _checks(result: Json, settings: Json) -> tuple[float, str]:
    """1 when the checks of a package found nothing that the gate forbids, else 0."""
    if result.get("findings") is None:
        raise NoValue("the model was not checked")
    strict = _is_strict(settings)
    forbidden = ("error", "warning") if strict else ("error",)
    texts = [str(one["text"]) for one in result["findings"] if one["level"] in forbidden]
    return float(not texts), "; ".join(texts[:2])


def _is_strict(settings: Json) -> bool:
    """Whether a gate on checks forbids warnings, too."""
    allowed = str(settings.get("checks") or WARNINGS)
    if allowed not in (WARNINGS, NONE):
        raise NoValue(f"checks = {allowed!r} is neither {NONE} nor {WARNINGS}")
    return allowed == NONE


def _any(result: Json, settings: Json) -> tuple[float, str]:
    raise NoValue("it has no value")


_MADE = ("quantize", "edit", "open")
_YES = {"min": 1.0}

KINDS: Mapping[str, Kind] = {
    "value": Kind("any number of a result", (), _any),
    "metric-drop": Kind(
        "what a metric loses",
        ("quantize", "evaluate"),
        _drop,
        {"against": str},
        bounds=("max",),
    ),
    "latency-ratio": Kind(
        "a bound of the interval of a latency ratio",
        ("profile",),
        _ratio,
        {"bound": str, "b": str},
    ),
    "size": Kind("bytes", (*_MADE, "package"), _size),
    "size-ratio": Kind("the size beside that of the model it was made from", _MADE, _size_ratio),
    "placement": Kind(
        "the share of the time that runs where it should",
        ("profile",),
        _placement,
        {"provider": str},
        bounds=("min",),
    ),
    "coverage": Kind(
        "whether a runtime loads the model", ("coverage",), _coverage, bounds=(), default=_YES
    ),
    "licence": Kind(
        "whether the model's licence is an allowed one",
        ("open",),
        _licence,
        {"allow": list},
        bounds=(),
        default=_YES,
    ),
    "signature": Kind(
        "whether a bundle is signed",
        ("package", "sign"),
        _signature,
        {"signers": str},
        bounds=(),
        default=_YES,
    ),
    "checks": Kind(
        "whether the plugins' checks found nothing",
        ("package", "image"),
        _checks,
        {"checks": str},
        bounds=(),
        default=_YES,
    ),
}


def read_gate(source: TomlText, table: Any, number: int) -> Gate:
    """A gate of a pipeline's text.

    Raises:
        UsageError: with line and column, for a key or a value that does not fit.
    """
    place = ("gates", number)
    if not isinstance(table, Mapping):
        raise source.wrong("a gate is a table: [[gates]].", *place)
    name = str(table.get("kind", "value"))
    kind = KINDS.get(name)
    if kind is None:
        raise source.wrong(
            f"there is no kind of gate {name!r}.",
            *place,
            "kind",
            hint=f"Known: {', '.join(KINDS)}.",
        )
    settings = kind.settings or {}
    for key in table:
        if key not in _COMMON and key not in settings:
            raise source.unknown([*_COMMON, *settings], *place, key)
    for key in ("name", *(["value"] if name == "value" else ["of"])):
        if not isinstance(table.get(key), str):
            where = (*place, key) if key in table else place
            raise source.wrong(f"a gate of the kind {name!r} needs the text {key!r}.", *where)
    for key, value in table.items():
        _check_setting(source, key, value, settings, (*place, key))
    limits = {key: table[key] for key in ("min", "max") if key in table}
    _check_limits(source, table, limits, kind, place)
    limits = limits or dict(kind.default or {})
    return Gate(
        name=table["name"],
        value=str(table.get("value", "")),
        minimum=limits.get("min"),
        maximum=limits.get("max"),
        kind=name,
        of=str(table.get("of", "")),
        settings={key: table[key] for key in settings if key in table},
        place=place,
    )


def _check_setting(
    source: TomlText, key: str, value: Any, settings: Mapping[str, type], place: tuple[Any, ...]
) -> None:
    if key in ("min", "max"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise source.wrong(f"{key!r} is a number, not {value!r}.", *place)
    elif key == "value" and next(references(value), None) is None:
        raise source.wrong("'value' is a reference, such as ${int8.size_ratio}.", *place)
    elif settings.get(key) is list and not isinstance(value, list):
        raise source.wrong(f"{key!r} is a list of texts, not {value!r}.", *place)


def _check_limits(
    source: TomlText,
    table: Mapping[str, Any],
    limits: Mapping[str, Any],
    kind: Kind,
    place: tuple[Any, ...],
) -> None:
    name = table["name"]
    for key in limits:
        if key not in kind.bounds:
            raise source.wrong(f"the gate {name!r} takes no {key!r}.", *place, key)
    if kind.bounds and not limits:
        either = " nor ".join(kind.bounds)
        word = "neither" if len(kind.bounds) > 1 else "no"
        raise source.wrong(f"the gate {name!r} has {word} {either}.", *place)


def judge(gate: Gate, results: Mapping[str, Any], steps: Mapping[str, str]) -> GateReport:
    """Whether a gate is met.

    Args:
        results: By the ids of steps; one that was not run is not there.
        steps: The step's name for each id.
    """
    limit = _limit(gate)
    try:
        value, text = _value(gate, results, steps)
    except NoValue as reason:
        return GateReport(gate.name, False, None, limit, gate.kind, f"{reason}")
    except (StudioError, TypeError, ValueError, KeyError):
        return GateReport(gate.name, False, None, limit, gate.kind, "its value is not known")
    low = gate.minimum is None or value >= gate.minimum
    high = gate.maximum is None or value <= gate.maximum
    return GateReport(gate.name, low and high, value, limit, gate.kind, text)


def _value(gate: Gate, results: Mapping[str, Any], steps: Mapping[str, str]) -> tuple[float, str]:
    if gate.kind == "value":
        whole = gate.value.strip()
        return float(look_up(whole.removeprefix("${").removesuffix("}"), results)), ""
    kind = KINDS[gate.kind]
    if steps.get(gate.of) not in kind.steps:
        known = " or ".join(kind.steps)
        raise NoValue(f"{gate.of} is the step {steps.get(gate.of)}; this gate judges {known}")
    if gate.of not in results:
        raise NoValue(f"{gate.of} was not run")
    settings = {key: substitute(value, results) for key, value in gate.settings.items()}
    return kind.value(results[gate.of], settings)


def _limit(gate: Gate) -> str:
    if gate.kind == "checks":
        return NONE if gate.settings.get("checks") == NONE else "no errors"
    if KINDS[gate.kind].default is not None:
        return {"coverage": "covered", "licence": "allowed", "signature": "signed"}[gate.kind]
    words = (("at least", gate.minimum), ("at most", gate.maximum))
    return " and ".join(f"{word} {limit:g}" for word, limit in words if limit is not None)


def _short(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"


def all_met(reports: Iterable[GateReport]) -> bool:
    """Whether every one is met."""
    return all(report.passed for report in reports)
