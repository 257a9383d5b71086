"""Gates of a pipeline: parsed from its text, and evaluated on the results of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.api import StudioError
from studio.documents.dataclass_json import JsonValue, from_json, keyed
from studio.documents.toml_text import Path as Place
from studio.documents.toml_text import TomlText
from studio.lazy_dataclass import dataclass
from studio.pipelines.gate_kinds import KINDS, NONE, GateSettings, Judged, Kind, NoValue
from studio.pipelines.pipeline import Gate
from studio.pipelines.references import look_up, references, substitute
from studio.registry.run_records import GateReport

_COMMON = ("name", "kind", "of", "value", "min", "max")


@dataclass(frozen=True, slots=True)
class _GateTable:
    name: str
    of: object = ""
    value: object = ""
    minimum: float | None = keyed("min", default=None)
    maximum: float | None = keyed("max", default=None)


def read_gate(source: TomlText, table: object, number: int) -> Gate:
    """Parse a gate of a pipeline's text.

    Raises:
        UsageError: for an invalid key or value, with line and column.
    """
    place: Place = ("gates", number)
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
    written = from_json(_GateTable, {**table, **(limits or kind.default or {})})
    _check_limits(source, written.name, limits, kind, place)
    return Gate(
        name=written.name,
        value=str(written.value),
        minimum=written.minimum,
        maximum=written.maximum,
        kind=name,
        of=str(written.of),
        settings={key: table[key] for key in settings if key in table},
        place=place,
    )


def _check_setting(
    source: TomlText, key: str, value: object, settings: Mapping[str, type], place: Place
) -> None:
    if key in ("min", "max"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise source.wrong(f"{key!r} is a number, not {value!r}.", *place)
    elif key == "value" and next(references(value), None) is None:
        raise source.wrong("'value' is a reference, such as ${int8.size_ratio}.", *place)
    elif settings.get(key) is list and not isinstance(value, list):
        raise source.wrong(f"{key!r} is a list of texts, not {value!r}.", *place)


def _check_limits(
    source: TomlText, name: str, limits: Mapping[str, object], kind: Kind, place: Place
) -> None:
    for key in limits:
        if key not in kind.bounds:
            raise source.wrong(f"the gate {name!r} takes no {key!r}.", *place, key)
    if kind.bounds and not limits:
        either = " nor ".join(kind.bounds)
        word = "neither" if len(kind.bounds) > 1 else "no"
        raise source.wrong(f"the gate {name!r} has {word} {either}.", *place)


def judge(gate: Gate, results: Mapping[str, JsonValue], steps: Mapping[str, str]) -> GateReport:
    """Evaluate a gate.

    Args:
        results: Results by step id; a step that did not run is missing.
        steps: Names of the steps by id.
    """
    limit = _limit(gate)
    try:
        value, text = _value(gate, results, steps)
    except NoValue as reason:
        return GateReport(gate.name, False, None, limit, gate.kind, f"{reason}")
    # A gate without a value fails: a missing result must not let a release pass.
    except (StudioError, TypeError, ValueError, KeyError):
        return GateReport(gate.name, False, None, limit, gate.kind, "its value is not known")
    low = gate.minimum is None or value >= gate.minimum
    high = gate.maximum is None or value <= gate.maximum
    return GateReport(gate.name, low and high, value, limit, gate.kind, text)


def _value(gate: Gate, results: Mapping[str, JsonValue], steps: Mapping[str, str]) -> Judged:
    if gate.kind == "value":
        whole = gate.value.strip()
        found: Any = look_up(whole.removeprefix("${").removesuffix("}"), results)
        return float(found), ""
    kind = KINDS[gate.kind]
    if steps.get(gate.of) not in kind.steps:
        known = " or ".join(kind.steps)
        raise NoValue(f"{gate.of} is the step {steps.get(gate.of)}; this gate judges {known}")
    if gate.of not in results:
        raise NoValue(f"{gate.of} was not run")
    settings = {key: substitute(value, results) for key, value in gate.settings.items()}
    return kind.value(from_json(kind.form, results[gate.of]), from_json(GateSettings, settings))


def _limit(gate: Gate) -> str:
    if gate.kind == "checks":
        return NONE if NONE in gate.settings.values() else "no errors"
    if KINDS[gate.kind].default is not None:
        return {"coverage": "covered", "licence": "allowed", "signature": "signed"}[gate.kind]
    words = (("at least", gate.minimum), ("at most", gate.maximum))
    return " and ".join(f"{word} {limit:g}" for word, limit in words if limit is not None)
