"""Messages of the quantization steps."""

from __future__ import annotations

from collections.abc import Iterator

from studio.conversion.chips.texts import checked
from studio.datasets.results import DataProblem
from studio.documents.text_table import counted, table
from studio.evaluation.language.texts import language
from studio.evaluation.results import EvaluationResult
from studio.quantization.chips.results import ChipSearchReport
from studio.quantization.language_texts import shrunk
from studio.quantization.results import (
    LayerCost,
    PreflightResult,
    QuantizeResult,
    SensitivityResult,
)

_SHOWN = 20


def quantized(result: QuantizeResult) -> list[str]:
    """Return the new variant in a few lines."""
    seconds, megabytes = result.seconds or 0.0, result.peak_memory_mb or 0.0
    return [
        f"Written to {result.output}",
        f"size      {result.size_ratio or 0.0:.2f} of the original",
        *_quality(result),
        *shrunk(result.facts),
        *(f"note      {note}" for note in result.notes),
        *([f"advice    {result.advice}"] if result.advice else []),
        *_front(result),
        *_chip(result),
        f"duration  {seconds:.1f} s, peak memory {megabytes:.0f} MB",
    ]


def _quality(result: QuantizeResult) -> Iterator[str]:
    """Yield the lines about metric, noise and time, as far as they were measured."""
    metric, interval = result.metric, result.latency_interval
    if metric is not None:
        lost, gained = metric.changed
        yield (
            f"{metric.name:<9} {metric.before:.4f} before, {metric.after:.4f} after "
            f"({metric.samples} samples; {lost} regressed, {gained} improved)"
        )
    if result.sqnr_db is not None:
        yield f"SQNR      {result.sqnr_db:.1f} dB at the outputs"
    if result.latency_ratio and interval is not None:
        yield (
            f"latency   {result.latency_ratio:.2f} of the original, "
            f"{interval[0]:.2f} to {interval[1]:.2f}, {counted(result.threads or 1, 'thread')}"
        )


def _front(result: QuantizeResult) -> list[str]:
    return [
        f"front     {len(trial.kept)} layers in float: loss {trial.drop:.4f}, "
        f"latency about {trial.latency_ratio:.2f}"
        for trial in (result.search.front if result.search else ())
    ]


def _chip(result: QuantizeResult) -> Iterator[str]:
    """Yield the verdict of the chip, and the layers that were chosen for it."""
    if result.chip is None:
        return
    search = result.chip_search
    if search is not None:
        yield f"search    {_chosen(search)}, of {counted(len(search.trials), 'candidate')}"
    yield from (f"chip      {line}" for line in checked(result.chip))


def _chosen(search: ChipSearchReport) -> str:
    if search.preset:
        return f"preset {search.preset}"
    share = next(one.float_share for one in search.trials if one.kept == search.chosen)
    return f"{counted(len(search.chosen), 'layer')} in float, {share:.1%} of the multiplications"


def preflight(result: PreflightResult) -> list[str]:
    """Say whether it will be faster, and why data do not fit."""
    outlook = result.outlook
    return [
        outlook.sentence if outlook else "No estimate for this method.",
        *(
            f"{data.problem} {data.hint}".strip()
            for data in (result.data, result.eval_data)
            if isinstance(data, DataProblem)
        ),
    ]


def evaluated(result: EvaluationResult) -> list[str]:
    """Return the score in one line, and that of the target's runtime in another."""
    if result.language is not None:
        return language(result.language)
    metric, there = result.metric, result.target
    lines = [f"{metric.name} {metric.value:.4f} over {result.samples} samples"]
    if result.heldout is not None:
        held = result.heldout
        lines.append(f"{metric.name} {held.value:.4f} over {held.samples} held-out samples")
    lines += result.notes
    if there is not None:
        lost, gained = there.changed
        lines.append(
            f"{there.name} ({there.runtime} {there.version}): {there.value:.4f}; "
            f"{lost} lost and {gained} gained beside this computer ({result.backend.title})"
        )
    return lines


def sensitivity(result: SensitivityResult) -> list[str]:
    """Return a table of the layers with the largest errors, and the number of the others."""
    layers, metric = result.layers, result.metric
    head = ("layer", "SQNR dB", "loss", "float us", "int8 us")
    lines = table(head, [_row(layer) for layer in layers[:_SHOWN]], right=" rrrr")
    if len(layers) > _SHOWN:
        lines.append(f"and {len(layers) - _SHOWN} less sensitive layers; --json lists all")
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
