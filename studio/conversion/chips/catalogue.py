"""The catalogue of chips: the compiler of each, what it takes, and its settings there."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from studio.api import Extension, UsageError
from studio.documents.dataclass_json import from_json
from studio.documents.toml_text import loads, no_such
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost, PluginState
from studio.settings import boards, resource

log = logging.getLogger(__name__)

_FOLDER = "chips"
_MOST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class NumericGate:
    """The limit of the outputs that a chip computes; beyond it, the model is refused.

    Attributes:
        max_error: Largest absolute difference, divided by the largest absolute value of its output.
        remedy: What to do instead, a sentence.
    """

    max_error: float
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipSpec:
    """An accelerator, or a processor with a runtime of its own.

    Attributes:
        id: Name of its file.
        compiler: Id of the compiler that a plugin brings.
        format: Of the models that the compiler takes.
        source: Where its facts are known from.
        family: Heading in a list of chips; empty for a chip without relatives.
        precision: In which an ONNX model is exported to that format.
        preset: Of the quantization whose models its compiler takes whole; empty where the export
            quantizes, or where the chip computes in float alone.
        alternatives: Presets that lose less and cost more there, the cheapest first.
        float_layers: Whether single layers of a quantized model may stay in float.
        settings: What the compiler gets.
        gate: None where other numbers are no refusal.
    """

    id: str
    title: str
    summary: str
    compiler: str
    format: str
    source: str
    family: str = ""
    precision: str = ""
    preset: str = ""
    alternatives: tuple[str, ...] = ()
    float_layers: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    gate: NumericGate | None = None


def chips(host: PluginHost) -> Mapping[str, ChipSpec]:
    """Return the catalogue by name: the studio's own chips, then those that plugins bring.

    A plugin has them in its folder ``chips``. It names its own compilers there, and takes no name
    that is known already.
    """
    found = dict(_own())
    for plugin in host.plugins:
        if plugin.built_in or plugin.state is not PluginState.AVAILABLE:
            continue
        compilers = {one.id for one in plugin.capabilities if one.extension is Extension.COMPILER}
        for path in sorted((plugin.folder / _FOLDER).glob("*.toml")):
            chip = _given(path)
            if chip is not None and chip.compiler in compilers:
                found.setdefault(chip.id, chip)
    return found


@functools.cache
def _own() -> Mapping[str, ChipSpec]:
    paths = sorted(resource(_FOLDER).glob("*.toml"), key=lambda one: _order(one.stem))
    return {path.stem: _read(path) for path in paths}


def _given(path: Path) -> ChipSpec | None:
    """Return a chip of a plugin; None for a file that is not one."""
    try:
        return _read(path)
    except (OSError, ValueError) as error:  # of TOML, too
        log.warning("%s is not a chip: %s", path, error)
        return None


def _read(path: Path) -> ChipSpec:
    with path.open("rb") as file:
        text = file.read(_MOST_BYTES)
    return from_json(ChipSpec, {**loads(text.decode()), "id": path.stem})


def _order(name: str) -> tuple[tuple[int, str], ...]:
    """Sort sizes in a name as numbers."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in name.split("-"))


def chip_named(name: str, host: PluginHost) -> ChipSpec:
    """Return a chip by its name, or by that of a board that has it.

    Raises:
        UsageError: with the nearest name, when there is no such chip.
    """
    known = chips(host)
    found = name if name in known else _chip_of_board(name)
    try:
        return known[found]
    except KeyError:
        reason, hint = no_such(name, known, "chip")
        more = hint or "studio chips lists all."
        raise UsageError(f"{reason[0].upper()}{reason[1:]}", hint=more) from None


def _chip_of_board(name: str) -> str:
    """Return the chip of a board in the catalogue; the name itself where it is no board.

    Raises:
        UsageError: when models cannot be checked for any part of the board.
    """
    if name not in boards.names():
        return name
    board = boards.board(name)
    if board.chips:
        return board.chips[0]
    parts = " and ".join(board.accelerators)
    raise UsageError(
        f"No compiler is known for {parts}, which {board.title} can have."
        if parts
        else f"{board.title} has no accelerator.",
        hint="studio chips lists the chips; studio coverage checks a model for the processor.",
    )
