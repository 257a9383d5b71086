"""Carbon dioxide of electricity: a factor of the user, or of a small table with sources."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from studio.api import UsageError
from studio.documents.toml_text import TomlText
from studio.features.evidence.frameworks.fields import TableFields, read_toml, rows
from studio.lazy_dataclass import dataclass
from studio.settings.resources import resource

MJ_PER_KWH = 3.6e9
"""Millijoules of a kilowatt-hour."""
PER = 1_000_000
"""Inferences of a figure of emissions."""
MOST_GRAMS = 5000.0
MOST_SOURCE = 300
_KEYS = ("id", "title", "grams_per_kwh", "covers", "source", "url", "checked")
GRID_IDS = ("us-2023", "de-2023", "de-2024")
"""What can be chosen; a test compares it with the data, which is read later."""


@dataclass(frozen=True, slots=True)
class GridFactor:
    """Grams of carbon dioxide of a kilowatt-hour.

    Attributes:
        covers: What the factor counts.
        checked: What the value was compared with; empty for a factor of the user.
    """

    title: str
    grams_per_kwh: float
    source: str
    covers: str = ""
    url: str = ""
    checked: str = ""


@functools.cache
def grids() -> Mapping[str, GridFactor]:
    """Return the factors that ship with the studio, by id."""
    return parse_grids(read_toml(resource("frameworks", "grid.toml")))


def parse_grids(toml: TomlText) -> Mapping[str, GridFactor]:
    """Return the factors of a text.

    Raises:
        UsageError: with file, line and column, for a wrong value or an id that stands twice.
    """
    found: dict[str, GridFactor] = {}
    for key in toml.values:
        if key != "grids":
            raise toml.unknown(["grids"], key)
    for row in rows(toml, "grids", _KEYS):
        name = row.id()
        if name in found:
            raise row.wrong(f"the grid {name!r} stands twice.", "id")
        found[name] = _factor(row)
    return MappingProxyType(found)


def _factor(row: TableFields) -> GridFactor:
    grams = row.number("grams_per_kwh")
    if not 0 < grams <= MOST_GRAMS:
        raise row.wrong(f"grams_per_kwh must be 1 to {MOST_GRAMS:g}.", "grams_per_kwh")
    return GridFactor(
        row.text("title"),
        float(grams),
        row.text("source"),
        row.text("covers"),
        row.text("url"),
        row.text("checked"),
    )


def chosen_grid(grid: str | None, factor: float | None, source: str | None) -> GridFactor | None:
    """Return the factor that was chosen; None where none was.

    Args:
        grid: Id of a factor of the table.
        factor: The user's grams for each kilowatt-hour, which needs a ``source``.

    Raises:
        UsageError: when both were chosen, or a factor has no source.
    """
    if factor is None:
        if source:
            raise UsageError("A source needs its factor.", hint="Add --grid-factor GRAMS.")
        return grids()[grid] if grid else None
    if grid:
        raise UsageError("Choose one: --grid or --grid-factor.")
    text = (source or "").strip()
    if not text or len(text) > MOST_SOURCE or not text.isprintable():
        raise UsageError(
            f"The factor needs its source, one line of up to {MOST_SOURCE} characters.",
            hint="Add --grid-source TEXT.",
        )
    return GridFactor("Factor of the user", factor, text)


def grams_of(millijoules: float, grams_per_kwh: float) -> float:
    """Return the grams of carbon dioxide of a million inferences, from those of one."""
    return millijoules * PER / MJ_PER_KWH * grams_per_kwh
