"""What the steps of quantization tell people."""

from __future__ import annotations

from studio.documents.text_table import table
from studio.quantization.results import LayerCost, SensitivityResult

_SHOWN = 20


def sensitivity(result: SensitivityResult) -> list[str]:
    """Return a table of the layers with the largest errors, and the number of the others."""
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
