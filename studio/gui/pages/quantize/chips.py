"""Kinds of chips, and the presets that suit each: the first choice of the Optimize page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.workspace import PresetEntry

CARDS = 3
"""Presets that are shown as cards."""

THIS_COMPUTER = "This computer"


@dataclass(frozen=True, slots=True)
class Chip:
    """A kind of chip.

    Attributes:
        presets: Names of presets in the order of preference; the first is recommended.
        machines: Names of its architectures, as ``uname -m`` and the facts of a target write them.
    """

    id: str
    title: str
    presets: tuple[str, ...]
    machines: tuple[str, ...] = ()


CHIPS = (
    Chip(
        "x86",
        "x86 CPU",
        ("int8", "fp16", "int8-dynamic", "int4-weights"),
        ("x86_64", "amd64", "i686"),
    ),
    Chip(
        "arm",
        "Arm CPU",
        ("int8-arm", "fp16", "int8-dynamic", "int4-weights"),
        ("aarch64", "arm64", "armv7l"),
    ),
    Chip("gpu", "GPU", ("fp16", "int8-tensorrt", "int8", "bf16")),
    Chip(
        "npu",
        "NPU",
        ("int8-whole", "int8-per-tensor", "a16w8", "int8-npu", "int8-qnn", "a16w8-qnn"),
    ),
)
BY_ID = {chip.id: chip for chip in CHIPS}


def chip_of(machine: str) -> Chip:
    """Return the chip of an architecture; that of the first for one that is not known."""
    return next((chip for chip in CHIPS if machine.lower() in chip.machines), CHIPS[0])


def places(chip: Chip, machine: str, targets: Mapping[str, str]) -> str:
    """Return the places of such a chip: this computer, names of targets, or any device.

    Args:
        machine: Architecture of this computer.
        targets: Architectures of the other targets by name.
    """
    names = [THIS_COMPUTER] if machine.lower() in chip.machines else []
    names += [name for name, arch in targets.items() if arch.lower() in chip.machines]
    if not names:
        return "Any device"
    more = len(names) - 1
    return names[0] + (f", {more} more" if more else "")


def offered(
    chip: Chip,
    entries: Iterable[PresetEntry],
    ratios: Mapping[str, float | None],
    wanted: str = "",
) -> Sequence[PresetEntry]:
    """Return the presets of a chip that are shown as cards.

    Args:
        entries: All presets.
        ratios: Predicted sizes over the float model's, by name. Behind the recommended preset the
            smallest come first; one whose size is not known is last.
        wanted: Name of the preset to recommend; another than the chip's: its first.
    """
    known = {entry.name: entry for entry in entries}
    names = sorted(chip.presets, key=lambda name: name != wanted)
    first, *others = [known[name] for name in names if name in known]
    others.sort(key=lambda entry: ratios.get(entry.name) or math.inf)
    return [first, *others][:CARDS]
