"""The chips that models can be checked for, with the state of their compilers."""

from __future__ import annotations

from studio.api import Extension, Unavailable
from studio.conversion.chips.catalogue import chips
from studio.conversion.chips.results import ChipLine
from studio.plugin_host import PluginHost
from studio.settings.boards import boards

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
            tuple(one.id for one in boards() if chip.id in one.chips),
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
