"""``studio sensitivity``: what each layer costs when it alone is quantized."""

from __future__ import annotations

import argparse

from studio.cli.output import table
from studio.cli.session import add_step, run_step
from studio.quantization.results import LayerCost, SensitivityResult

_SHOWN = 20


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "sensitivity")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    return run_step("sensitivity", arguments, describe)


def describe(result: SensitivityResult) -> list[str]:
    """The worst layers as a table, and how many more there are."""
    layers, metric = result.layers, result.metric
    head = ("layer", "SQNR dB", "loss", "float us", "int8 us")
    lines = table(head, [_row(layer) for layer in layers[:_SHOWN]], right=" rrrr")
    if len(layers) > _SHOWN:
        lines.append(f"and {len(layers) - _SHOWN} more that disturb less; --json has them all")
    if metric:
        lines.append(
            f"loss of {metric.title.lower()}, {metric.before:.4f} in float, "
            f"over {metric.samples} samples"
        )
    lines.append(f"{result.slower} of {len(layers)} layers are no faster in int8 on this machine")
    return lines


def _row(layer: LayerCost) -> tuple[str, ...]:
    return (
        layer.name,
        f"{layer.sqnr_db:.1f}",
        "-" if layer.drop is None else f"{layer.drop:.4f}",
        f"{layer.float_us:.0f}",
        f"{layer.int8_us:.0f}",
    )
