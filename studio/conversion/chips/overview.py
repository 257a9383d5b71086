"""The chips that models can be checked for, with the state of their compilers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.api import Capability, Extension, Unavailable, UsageError
from studio.conversion.chips.catalogue import ChipSpec, chip_named, chips
from studio.conversion.chips.results import ChipLine
from studio.conversion.offer import missing_of
from studio.conversion.targets import SOURCE, TARGETS, converters_to
from studio.plugin_host import Plugin, PluginHost
from studio.settings.boards import boards

if TYPE_CHECKING:
    from studio.plugin_host.environments import Environment

AVAILABLE = "available"


def chip_lines(host: PluginHost) -> list[ChipLine]:
    """Return a line for each chip of the catalogue, also for those without a plugin."""
    compilers = {one.id: one for one in host.all(Extension.COMPILER)}
    states = {name: _state(host, one.plugin) for name, one in compilers.items()}
    return [
        ChipLine(
            chip.id,
            chip.title,
            chip.summary,
            compilers[chip.compiler].title if chip.compiler in compilers else "",
            states.get(chip.compiler, "No installed plugin compiles for it."),
            chip.family or (compilers[chip.compiler].title if chip.compiler in compilers else ""),
            tuple(one.id for one in boards() if chip.id in one.chips),
            chip.preset,
        )
        for chip in chips(host).values()
    ]


def _state(host: PluginHost, plugin: str) -> str:
    environment = host.environment(host.plugin(plugin))
    try:
        if environment is not None:
            environment.usable()
    except Unavailable as error:
        return error.message
    return AVAILABLE


def missing_toolchains(
    chip: str, form: str, host: PluginHost
) -> tuple[tuple[Plugin, Environment], ...]:
    """Return the plugins whose environments a check has to have installed first.

    Args:
        chip: Name of the chip.
        form: Format of the model.

    Raises:
        UsageError: for an unknown chip, or a model in another format than the chip's or ONNX.
        Unavailable: where no installed plugin compiles for the chip or exports to its format.
    """
    known = chip_named(chip, host)
    return missing_of([compiler_of(known, host), *export_to(known, form, host)], host)


def compiler_of(chip: ChipSpec, host: PluginHost) -> Capability:
    """Return the compiler of a chip.

    Raises:
        Unavailable: where no installed plugin compiles for it.
    """
    for capability in host.all(Extension.COMPILER):
        if capability.id == chip.compiler:
            return capability
    raise Unavailable(f"No installed plugin compiles for {chip.title}.")


def export_to(chip: ChipSpec, form: str, host: PluginHost) -> tuple[Capability, ...]:
    """Return the converters of the export to the format of a chip, if there is one.

    Raises:
        UsageError: for a model in another format than the chip's or ONNX.
        Unavailable: where no installed plugin converts to the format of the chip.
    """
    if form == chip.format:
        return ()
    if form == SOURCE and chip.format in TARGETS:
        return tuple(converters_to(TARGETS[chip.format], host))
    raise UsageError(
        f"{chip.title} takes {chip.format} models, and this one is {form}.",
        hint="Pass the ONNX model: it is exported.",
    )
