"""Quantization presets for the window and the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from studio.api import Extension, Kind, Option, Transform, UsageError
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost
from studio.quantization import presets
from studio.quantization.float_nodes import with_float_nodes
from studio.quantization.methods import check_method, is_language_method
from studio.quantization.preset import Preset
from studio.quantization.preset_text import OptionValue, PresetText
from studio.quantization.presets import PresetEntry
from studio.quantization.size_estimate import SizeEstimate, estimate_size
from studio.quantization.step import QUANTIZE
from studio.registry import VariantRecord
from studio.workspace.graph_view import read_graph

_STEP = ("method", "samples")
"""The keys of a preset that are the step's own."""


@dataclass(frozen=True, slots=True)
class CheckedPreset:
    """A preset's text that fits, with the value of every option.

    Attributes:
        options: The step's own and the method's, in the order of a form.
        values: Given or default, by name.
    """

    entry: PresetEntry
    options: tuple[Option, ...]
    values: Mapping[str, OptionValue]


class Presets:
    """The presets of a workspace.

    Args:
        data: The folder in which the user's own lie.
        plugins: The source of the methods' options; reading them imports a method's plugin.
    """

    def __init__(self, data: Path, plugins: Callable[[], PluginHost]) -> None:
        self._data, self._plugins = data, plugins

    def all(self) -> tuple[PresetEntry, ...]:
        """Return the shipped presets, then the user's own."""
        return presets.all_presets(self._data)

    def of_language(self) -> tuple[PresetEntry, ...]:
        """Return the presets for language models."""
        return presets.language_presets()

    def find(self, wanted: str) -> PresetEntry:
        """Return the preset of a name, a file, or a text.

        Raises:
            UsageError: when the preset does not exist, or its head is invalid.
        """
        return presets.find(wanted, self._data)[0]

    def save(self, name: str, text: str) -> Path:
        """Save a text as a preset of the user.

        Raises:
            UsageError: when the name or the text cannot be one.
        """
        return presets.save(name, text, self._data)

    def options(self, method: str) -> tuple[Option, ...]:
        """Return the options of a preset with this method.

        Raises:
            Unavailable: when no plugin offers the method.
        """
        transform: Transform = self._plugins().get(Extension.TRANSFORM, method)
        own = tuple(option for option in QUANTIZE.form if option.name in _STEP)
        if not transform.needs_data:
            own = tuple(option for option in own if option.name != "samples")
        return (*own, *transform.options)

    def check(self, wanted: str) -> CheckedPreset:
        """Check every key and value of a preset.

        Raises:
            UsageError: with line and column, for the first that does not fit.
            Unavailable: when no plugin offers its method.
        """
        entry, name = presets.find(wanted, self._data)
        source = PresetText.read(entry.text, name)
        try:
            if not is_language_method(entry.method, self._plugins()):
                check_method(entry.method, self._plugins())
        except UsageError as error:
            # The reason follows the place in the file, within one sentence.
            reason = error.message[:1].lower() + error.message[1:]
            raise source.wrong(reason, "method") from None
        options = self.options(entry.method)
        preset = Preset.of(entry.text, name)
        fitted = preset.for_transform([o for o in options if o.name not in _STEP])
        given = {**source.values, "samples": fitted.samples}
        values = {o.name: o.check(given.get(o.name, o.default)) for o in options}
        return CheckedPreset(entry, options, values)

    @staticmethod
    def sizes(
        variant: VariantRecord, texts: Iterable[str], float_nodes: Sequence[str] = ()
    ) -> tuple[SizeEstimate | None, ...]:
        """Return the predicted size of each preset's variant; None where it is not known.

        Not for the window's thread, as the graph is read.

        Args:
            variant: The float model.
            texts: The presets, as TOML.
            float_nodes: Nodes that stay in float with each preset.

        Raises:
            StudioError: when the graph was not kept, or its file is gone or damaged.
        """
        graph = read_graph(variant).model.graph
        nodes = {node.name for node in graph.nodes}
        found: list[SizeEstimate | None] = []
        for text in texts:
            try:
                preset, _ = with_float_nodes(Preset.of(text), float_nodes, nodes)
                found.append(estimate_size(graph, variant.size, preset))
            except UsageError:  # a text that is being typed
                found.append(None)
        return tuple(found)

    @staticmethod
    def with_value(text: str, name: str, value: OptionValue) -> str:
        """Return the text with another value of one option; unchanged when it is not TOML."""
        try:
            return PresetText.read(text).with_value(name, value)
        except UsageError:
            return text


def allowed(option: Option) -> str:
    """Return the values that an option can have, in words."""
    if option.choices:
        return " | ".join(option.choices)
    if option.kind is Kind.FLAG:
        return "true | false"
    if option.kind in (Kind.INTEGER, Kind.NUMBER):
        low, high = option.minimum, option.maximum
        what = "whole number" if option.kind is Kind.INTEGER else "number"
        bounds = [f"from {low:g}"] if low is not None else []
        return " ".join([what, *bounds, *([f"to {high:g}"] if high is not None else [])])
    return "list of texts" if option.many else "text"
