"""Presets to try for a chip where layers in float are not enough."""

from __future__ import annotations

from collections.abc import Iterator

from studio.api import Extension, Transform
from studio.conversion.chips.catalogue import ChipSpec
from studio.evaluation.loaded_model import LoadedModel
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost
from studio.quantization.float_nodes import with_float_nodes
from studio.quantization.preset import Preset
from studio.quantization.presets import FOLDER
from studio.quantization.step import QuantizeOptions
from studio.settings import resource


@dataclass(frozen=True, slots=True)
class Alternative:
    """A preset of the studio with its transform."""

    name: str
    preset: Preset
    transform: Transform


def alternatives(
    chip: ChipSpec, options: QuantizeOptions, subject: LoadedModel, host: PluginHost
) -> Iterator[Alternative]:
    """Yield the presets of a chip after its first; none where the user has given another preset.

    The names may come from the file of a plugin: those of no preset of the studio are left out.
    """
    shipped = {path.stem: path for path in resource(FOLDER).glob("*.toml")}
    if options.preset_name != f"{chip.preset}.toml":
        return
    for name in (one for one in chip.alternatives if one in shipped):
        text = shipped[name].read_text(encoding="utf-8")
        preset = Preset.of(text, name, {"samples": options.samples})
        transform: Transform = host.get(Extension.TRANSFORM, preset.method)
        fitted = preset.for_transform(transform.options)
        kept, _ = with_float_nodes(fitted, options.float_nodes, subject.nodes)
        yield Alternative(name, kept, transform)
