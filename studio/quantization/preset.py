"""A preset: the method and its options, as data that can be kept and replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from studio.api import Option, UsageError
from studio.quantization.preset_text import LAYERS, PresetText, write
from studio.quantization.step import QUANTIZE

HEAD = ("title", "summary", "hardware")
"""What a preset says of itself: its name for people, what it does, where it pays."""

PRECISIONS = {"float": "keep", "a16w8": "wide"}
"""What a layer can be made of, and the option of the transform that names such layers."""

_PARTS = ("method", "calibration", "samples", "keep")
"""The options of the step that belong to a preset."""


@dataclass(frozen=True, slots=True)
class Preset:
    """How a variant is made.

    Attributes:
        method: Identifier of the transform.
        samples: At most so many calibrate.
        options: For the transform.
        layers: The precision of single layers, by name (with * for any characters) or operator.
        source: The text that it was read from, for the place of what is wrong.
    """

    method: str
    samples: int
    options: Mapping[str, Any] = field(default_factory=dict)
    layers: Mapping[str, str] = field(default_factory=dict)
    source: PresetText = field(default=PresetText("the preset", "", {}), compare=False)

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Preset:
        """The preset that a step's arguments ask for: those given, else the text's, else defaults.

        Args:
            arguments: ``preset`` is the text of one, ``preset_name`` what messages call it.

        Raises:
            UsageError: with line and column, when the text is not TOML or a value does not fit.
        """
        name = arguments.get("preset_name") or "the preset"
        source = PresetText.read(arguments.get("preset") or "", name)
        check_head(source)
        step = {option.name: option for option in QUANTIZE.form}
        values = {k: v for k, v in source.values.items() if k not in (*HEAD, LAYERS)}
        for part in _PARTS:
            given = arguments.get(part, step[part].default)
            if part not in values or given != step[part].check(step[part].default):
                values[part] = given
            else:
                values[part] = _fitting(source, step[part], values[part])
        layers = source.values.get(LAYERS, {})
        return cls(values.pop("method"), values.pop("samples"), values, layers, source)

    def for_transform(self, options: Sequence[Option]) -> Preset:
        """The same preset with those options alone that a transform knows, each in its own type.

        Raises:
            UsageError: with line and column, when a key or a value is unknown to it.
        """
        known = {option.name: option for option in options}
        values = dict(self.options)
        for name in self.source.values:
            if name not in {*known, *HEAD, *_PARTS, LAYERS}:
                raise self.source.unknown(name, {*known, *HEAD, *_PARTS, LAYERS})
            if name in known:
                values[name] = _fitting(self.source, known[name], values[name])
        for pattern, precision in self.layers.items():
            option = PRECISIONS[precision]
            if option not in known:
                raise self.source.wrong(
                    f"{self.method} cannot make a layer {precision}.", pattern, table=LAYERS
                )
            values[option] = [*(values.get(option) or ()), pattern]
        return replace(self, options={k: v for k, v in values.items() if k in known})

    def to_json(self) -> dict[str, Any]:
        """The values under the names that a preset file uses."""
        return {"method": self.method, "samples": self.samples, **self.options}

    def to_text(self) -> str:
        """The preset as a file that asks for the same again; its own words stay at its head."""
        head = {name: self.source.values[name] for name in HEAD if name in self.source.values}
        return write({**head, **self.to_json()})


def check_head(source: PresetText) -> None:
    """Check what needs no plugin to be known.

    Raises:
        UsageError: with line and column.
    """
    for name in (*HEAD, "method"):
        if not isinstance(source.values.get(name, ""), str):
            raise source.wrong(f"{name} must be a text.", name)
    layers = source.values.get(LAYERS, {})
    if not isinstance(layers, Mapping):
        raise source.wrong(f'{LAYERS} must be a table of "name" = "precision".', LAYERS)
    for pattern, precision in layers.items():
        if not isinstance(precision, str) or precision not in PRECISIONS:
            reason = f"a layer cannot be {precision!r}; it is one of {', '.join(PRECISIONS)}."
            raise source.wrong(reason, pattern, table=LAYERS)


def _fitting(source: PresetText, option: Option, value: Any) -> Any:
    try:
        return option.check(value)
    except UsageError as error:
        raise source.wrong(error.message, option.name, hint=error.hint) from None
