"""The quantization of language models, in a worker: types of a preset, or a search on a text."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from studio.api import Extension, Transform, UsageError
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from studio.quantization import work
from studio.quantization.preset import Preset
from studio.quantization.presets import language_presets
from studio.quantization.results import QuantizeResult, SizeChange, VariantFiles
from studio.quantization.step import METHODS, QuantizeOptions
from studio.quantization.variant_details import write_details

FORMAT = "gguf"
METHOD, TYPES = "gguf-search", "gguf-types"

_OF_OTHERS = {
    "search": "--search",
    "max_drop": "--max-drop",
    "max_latency_ratio": "--max-latency-ratio",
    "recurrent": "--recurrent",
    "keep_float": "--keep-float",
    "chip": "--for",
    "eval_data": "--eval-data",
}
"""Options that are for models with inputs of numbers."""


def quantize(options: QuantizeOptions, job: Job) -> QuantizeResult:
    """Make a variant of a language model, or of any other as ``work.quantize`` does."""
    if options.model.format == FORMAT:
        return shrink(options, job, PluginHost.discover())
    check_budgets(options)
    return work.quantize(options, job)


def shrink(options: QuantizeOptions, job: Job, host: PluginHost) -> QuantizeResult:
    """Make a variant of a language model below ``job.folder``: within a budget, or by a preset.

    Raises:
        UsageError, InvalidData, InvalidModel: for what does not fit, in one sentence.
    """
    begin = time.monotonic()
    _check(options)
    preset = _preset(options, host) if options.preset else _searched(options)
    given = {**preset.options, "text": options.data}
    transform: Transform = host.get(Extension.TRANSFORM, preset.method)
    source = Path(options.model.path)
    output = job.folder / f"{source.stem}.{preset.method}.gguf"
    made = transform.apply(source, output, given, None, Phase(job, 0.02, 0.95))
    opened = read_model(made.path, Phase(job, 0.95, 0.97), host=host)
    graph = write_graph(opened, job.folder, Phase(job, 0.97, 1))
    details = write_details(job.folder, made, ())
    before, after = source.stat().st_size, made.path.stat().st_size
    return QuantizeResult(
        files=VariantFiles(made.path.name, graph.name, details, opened.figures()),
        precision=made.precision,
        preset=preset.to_json(),
        preset_text=preset.to_text(),
        facts=made.facts,
        bytes=SizeChange(before, after),
        size_ratio=after / before,
        peak_memory_mb=round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
        seconds=round(time.monotonic() - begin, 3),
    )


def check_budgets(options: QuantizeOptions) -> None:
    """Raise UsageError for a budget that only language models have."""
    for name in _budgets(options):
        raise UsageError(
            f"--{name.replace('_', '-')} is for language models in GGUF.",
            hint="Use --max-drop and --search for other models.",
        )


def _budgets(options: QuantizeOptions) -> dict[str, float]:
    """Return the budgets that were given, by the names of the transform's options."""
    values = {
        "megabytes": options.megabytes,
        "kl": options.kl,
        "tokens_per_second": options.tokens_per_second,
    }
    return {name: value for name, value in values.items() if value is not None}


def _check(options: QuantizeOptions) -> None:
    """Raise UsageError for options of other models, or a text that is a folder."""
    if options.method != METHODS[0]:
        raise UsageError(
            f"The method {options.method} is not for language models.",
            hint="Leave --method out: types are of a preset, or searched within a budget.",
        )
    for name, spelling in _OF_OTHERS.items():
        if getattr(options, name):
            raise UsageError(f"{spelling} is not for language models.")
    if options.data is not None and not options.data.is_file():
        raise UsageError(
            f"{options.data.name} is not a text.",
            hint="Pass --data TEXT.txt, like what the model will read and write.",
        )


def _preset(options: QuantizeOptions, host: PluginHost) -> Preset:
    """Return the types of a preset.

    Raises:
        UsageError: for a preset of other models, or with a budget.
    """
    preset = Preset.of(options.preset, options.preset_name)
    if preset.method != TYPES:
        names = ", ".join(one.name for one in language_presets())
        raise UsageError("The preset is not for language models.", hint=f"Known: {names}.")
    if _budgets(options):
        raise UsageError("A preset has its types, so no budget can choose any.")
    transform: Transform = host.get(Extension.TRANSFORM, preset.method)
    return preset.for_transform(transform.options)


def _searched(options: QuantizeOptions) -> Preset:
    """Return the search within a budget.

    Raises:
        UsageError: without a budget, or without a text.
    """
    given = _budgets(options)
    if len(given) != 1:
        raise UsageError(
            "A language model needs one budget, or a preset.",
            hint="Pass --megabytes, --kl or --tokens-per-second, or --preset q4_k_m.",
        )
    if options.data is None:
        raise UsageError(
            "The types are chosen on a text, and no text was given.",
            hint="Pass --data TEXT.txt, like what the model will read and write.",
        )
    return Preset(METHOD, options.samples, given)
