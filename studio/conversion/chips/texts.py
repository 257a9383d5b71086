"""Messages of the step check."""

from __future__ import annotations

from studio.conversion.chips.results import (
    ChipNumbers,
    ChipResult,
    SampleComparison,
    TargetNumbers,
    Verdict,
)
from studio.conversion.results import FirstDifference
from studio.documents.text_table import counted

_REFUSED = 3
_MOST_NODES = 20
_MOST_SAMPLES = 5

_FIGURES = {
    "latency_ms": ("latency", "ms"),
    "sram_bytes": ("SRAM", "bytes"),
    "dram_bytes": ("DRAM", "bytes"),
    "on_chip_flash_bytes": ("flash on the chip", "bytes"),
    "off_chip_flash_bytes": ("flash next to the chip", "bytes"),
    "flash_bytes": ("flash", "bytes"),
    "arena_bytes": ("arena", "bytes"),
    "parameter_bytes": ("parameters", "bytes"),
    "npu_cycles": ("NPU", "cycles"),
}
"""Figures that people ask for first; ``--json`` has all."""


def checked(result: ChipResult) -> list[str]:
    """Return the verdict with its basis, and the nodes that are left to the processor."""
    lines = [f"{result.title}: {_verdict(result)} ({result.how}, {result.toolchain})"]
    lines += [f"reason    {result.reason}"] if result.reason else []
    label = "fallback" if result.nodes.on_chip else "refused "
    for node in result.refused[:_MOST_NODES]:
        lines.append(f"{label}  {node.operator} {node.node}: {node.reason}")
        lines += [f"          {node.remedy}"] if node.remedy else []
    if (more := len(result.refused) - _MOST_NODES) > 0:
        lines.append(f"{label}  {more} more; --json lists all")
    if result.numbers is not None:
        lines.append(f"numbers   {_numbers(result.numbers)}")
        lines += [f"metric    {result.numbers.metric}"] if result.numbers.metric else []
        lines += _first(result.numbers.first)
        lines += _target(result.numbers.target)
    if estimate := _estimate(result):
        lines.append(f"estimate  {estimate}; not measured")
    if result.artefact:
        lines.append(f"artefact  {result.artefact}, {result.bytes:,} bytes")
    return lines + [f"warning   {text}" for text in result.warnings]


def _verdict(result: ChipResult) -> str:
    nodes = result.nodes
    if result.verdict == Verdict.REFUSED.value:
        return "refused"
    if result.verdict == Verdict.RUNS.value:
        return f"runs, {counted(nodes.total, 'node')}"
    return f"runs in part, {nodes.on_chip} of {counted(nodes.total, 'node')} on the chip"


def _numbers(numbers: ChipNumbers) -> str:
    argmax = ""
    if numbers.argmax_equal is not None:
        argmax = f", argmax equal in {numbers.argmax_equal:.1%}"
    return (
        f"largest relative error {numbers.max_error:.1e} next to {numbers.against} on "
        f"{counted(numbers.samples, 'sample')}{argmax}"
    )


def _first(first: FirstDifference | None) -> list[str]:
    if first is None:
        return []
    place = f"{first.value} ({first.operator} {first.node})"
    return [f"first     {place} differs first, by {first.error:.1e} of its largest value"]


def _target(numbers: TargetNumbers | None) -> list[str]:
    """Return the figures of a target, and the samples that it computes most differently."""
    if numbers is None:
        return []
    argmax = ""
    if numbers.argmax_equal is not None:
        argmax = f", argmax equal to the chip's in {numbers.argmax_equal:.1%}"
    lines = [
        f"target    {numbers.name} ({numbers.runtime} {numbers.version}): largest relative error "
        f"{numbers.max_error:.1e} next to this computer, {numbers.chip_error:.1e} next to the chip "
        f"on {counted(numbers.samples, 'sample')}{argmax}"
    ]
    lines += [f"metric    {numbers.name}: {numbers.metric}"] if numbers.metric else []
    lines += _first(numbers.first)
    return lines + [f"sample    {_sample(one)}" for one in numbers.worst[:_MOST_SAMPLES]]


def _sample(one: SampleComparison) -> str:
    classes = ""
    if len(set(one.classes)) > 1:
        here, chip, target = one.classes
        classes = f", class {here} here, {chip} on the chip, {target} on the target"
    return f"{one.name}: error {one.chip:.1e} chip, {one.target:.1e} target{classes}"


def _estimate(result: ChipResult) -> str:
    shown = ((name, *_FIGURES[name]) for name in result.estimate if name in _FIGURES)
    return ", ".join(
        f"{title} {_figure(result.estimate[name])} {unit}" for name, title, unit in shown
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def exit_code(result: ChipResult) -> int:
    """Return the exit code: a model that the chip refuses is a missed gate."""
    return _REFUSED if result.verdict == Verdict.REFUSED.value else 0
