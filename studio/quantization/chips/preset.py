"""The preset of a quantization for a chip, before its worker starts."""

from __future__ import annotations

from dataclasses import replace

from studio.api import UsageError
from studio.conversion.chips.catalogue import ChipSpec, chip_named
from studio.conversion.chips.record import board_or_chip
from studio.conversion.targets import SOURCE
from studio.plugin_host import PluginHost
from studio.quantization.step import QUANTIZE, QuantizeOptions
from studio.registry import Registry


def for_chip(registry: Registry, options: QuantizeOptions) -> QuantizeOptions:
    """Return the options with the name of the chip, and with its preset where none is given.

    Raises:
        UsageError: for an unknown chip, one that takes an export of the float model, or one that
            has no layers to search for.
    """
    if not options.chip:
        return options
    chip = chip_named(board_or_chip(registry, options.chip), PluginHost.discover())
    if chip.format != SOURCE:
        raise UsageError(
            f"{chip.title} takes an export of the float model, which sets the precision.",
            hint=f"Pass the float model: studio check MODEL --for {chip.id}",
        )
    if options.search:
        _check_search(chip, options)
    if options.preset or not chip.preset or _is_method_chosen(options):
        return replace(options, chip=chip.id)
    return replace(options, chip=chip.id, preset=chip.preset)


def _check_search(chip: ChipSpec, options: QuantizeOptions) -> None:
    if options.max_latency_ratio is not None or options.max_drop is None:
        raise UsageError(
            "A search for a chip needs --max-drop, and no --max-latency-ratio.",
            hint="The time on the chip is not known on this computer.",
        )
    if not chip.float_layers:
        raise UsageError(
            f"{chip.title} computes in integers alone: no layer can stay in float.",
            hint="Leave --search out, or try another --preset.",
        )


def _is_method_chosen(options: QuantizeOptions) -> bool:
    default = next(one.default for one in QUANTIZE.form if one.name == "method")
    return bool(options.method != default)
