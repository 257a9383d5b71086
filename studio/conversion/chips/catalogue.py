"""The catalogue of chips: the compiler of each, what it takes, and its settings there."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.api import UsageError
from studio.documents.dataclass_json import from_json
from studio.documents.toml_text import no_such
from studio.settings import resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipSpec:
    """An accelerator, or a processor with a runtime of its own.

    Attributes:
        id: Name of its file.
        compiler: Id of the compiler that a plugin brings.
        format: Of the models that the compiler takes.
        source: Where its facts are known from.
        precision: In which an ONNX model is exported to that format.
        settings: What the compiler gets.
    """

    id: str
    title: str
    summary: str
    compiler: str
    format: str
    source: str
    precision: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@functools.cache
def chips() -> Mapping[str, ChipSpec]:
    """Return the whole catalogue, by name."""
    found = {}
    for path in sorted(resource("chips").glob("*.toml"), key=lambda one: _order(one.stem)):
        with path.open("rb") as file:
            found[path.stem] = from_json(ChipSpec, {"id": path.stem, **tomllib.load(file)})
    return found


def _order(name: str) -> tuple[tuple[int, str], ...]:
    """Sort sizes in a name as numbers."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in name.split("-"))


def chip_named(name: str) -> ChipSpec:
    """Return a chip by its name.

    Raises:
        UsageError: with the nearest name, when there is no such chip.
    """
    try:
        return chips()[name]
    except KeyError:
        reason, hint = no_such(name, chips(), "chip")
        more = hint or "studio chips lists all."
        raise UsageError(f"{reason[0].upper()}{reason[1:]}", hint=more) from None
