"""Sentences and figures of a check for a chip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.conversion.chips.results import ChipResult, Verdict
from studio.gui import figures
from studio.workspace import licence_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.conversion.chips.results import ChipNumbers, TargetNumbers
    from studio.workspace import Environment, Plugin

VERDICTS = {
    Verdict.RUNS.value: ("runs", "good"),
    Verdict.PARTLY.value: ("runs in part", "warning"),
    Verdict.REFUSED.value: ("refused", "bad"),
}
"""Word and tone of each verdict."""

_BASES = {
    "compiled": "Compiled, not measured on the device.",
    "emulated": "Emulated, not measured on the device.",
    "simulated": "Simulated, not measured on the device.",
    "rules": "By the compiler's rules alone, not measured on the device.",
}
_ESTIMATES = {
    "latency_ms": "latency",
    "sram_bytes": "SRAM",
    "dram_bytes": "DRAM",
    "arena_bytes": "arena",
    "flash_bytes": "flash",
    "on_chip_flash_bytes": "flash on the chip",
    "off_chip_flash_bytes": "flash next to the chip",
    "parameter_bytes": "parameters",
}


def verdict_sentence(result: ChipResult) -> str:
    """Return the verdict with its basis."""
    return f"{_verdict(result)} {_BASES.get(result.how, '')}".strip()


def _verdict(result: ChipResult) -> str:
    nodes = result.nodes
    if result.verdict == Verdict.RUNS.value:
        if nodes.total == 1:
            return f"The one node runs on {result.title}."
        return f"All {figures.whole(nodes.total)} nodes run on {result.title}."
    if result.verdict == Verdict.PARTLY.value:
        total = figures.count(nodes.total, "node")
        left = figures.whole(nodes.fallback)
        return (
            f"{result.title} runs {figures.whole(nodes.on_chip)} of {total}. The processor next "
            f"to it runs {left}."
        )
    if result.reason:
        return f"{result.title} refuses the model. {result.reason}"
    return f"No node runs on {result.title}."


def figure_fields(result: ChipResult) -> list[tuple[str, str]]:
    """Return names and values of the figures that the result has."""
    nodes = result.nodes
    fields = []
    if nodes.total:
        on_chip = f"{figures.whole(nodes.on_chip)} of {figures.whole(nodes.total)}"
        fields.append(("Nodes on chip", on_chip))
    if estimate := _estimate(result):
        fields.append(("Estimate", f"{estimate} (not measured)"))
    if result.artefact:
        fields.append(("Compiled file", figures.size(result.bytes)))
    if result.numbers is not None:
        fields.append(("Outputs", _numbers(result.numbers)))
        if result.numbers.metric is not None:
            fields.append(("Metric", str(result.numbers.metric)))
        if result.numbers.target is not None:
            fields += _target_fields(result.numbers.target)
    fields.append(("Compiler", f"{result.toolchain}, {figures.seconds(result.seconds)}"))
    return fields


def _estimate(result: ChipResult) -> str:
    parts = []
    for name, title in _ESTIMATES.items():
        value = result.estimate.get(name)
        if value is not None:
            is_time = name.endswith("_ms")
            text = f"{figures.milliseconds(value)} ms" if is_time else figures.size(value)
            parts.append(f"{title} {text}")
    return ", ".join(parts)


def _numbers(numbers: ChipNumbers) -> str:
    samples = figures.count(numbers.samples, "sample")
    text = f"largest relative error {numbers.max_error:.1e} next to {numbers.against} on {samples}"
    if numbers.argmax_equal is not None:
        text += f", {100 * numbers.argmax_equal:.1f} % of the classes equal"
    return text


def _target_fields(numbers: TargetNumbers) -> list[tuple[str, str]]:
    """Return the figures of a target, with the sample that differs most from the chip."""
    samples = figures.count(numbers.samples, "sample")
    to_chip, to_here = f"{numbers.chip_error:.1e}", f"{numbers.max_error:.1e}"
    text = f"{to_chip} next to the chip, {to_here} next to this computer"
    fields = [(f"On {numbers.name}", f"largest relative error {text}, on {samples}")]
    if numbers.metric is not None:
        fields.append((f"Metric on {numbers.name}", str(numbers.metric)))
    if numbers.worst and numbers.chip_error:
        worst = numbers.worst[0]
        fields.append(("Largest difference", f"{worst.name}, by {worst.difference:.1e}"))
    return fields


def missing_sentence(missing: Sequence[tuple[Plugin, Environment]]) -> str:
    """Return what has to be installed first, with its size and its licences."""
    names = [one.manifest.name for one, _ in missing if one.manifest]
    need = sum(environment.need.megabytes for _, environment in missing)
    licences = licence_sentence([environment for _, environment in missing])
    text = f"Installed first: {', '.join(names)}, about {figures.megabytes(need)}. {licences}"
    return text.strip()
