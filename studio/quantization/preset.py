"""A preset: the method and its options, as data that can be kept and replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import cast

from studio.api import Option, UsageError
from studio.lazy_dataclass import dataclass
from studio.quantization.preset_text import LAYERS, OptionValue, PresetText, write
from studio.quantization.step import QUANTIZE, QuantizeOptions, SensitivityOptions

HEAD = ("title", "summary", "hardware")
"""Keys of a preset's description: its display name, its effect, its hardware."""

PRECISIONS = {"float": "keep", "a16w8": "wide"}
"""Precisions of a layer, and the option of the transform that lists such layers."""

_PARTS = {"method": "method", "calibration": "calibration", "samples": "samples",
          "keep": "keep_float"}  # fmt: skip
"""The options of the step that belong to a preset, by the names that presets and transforms use."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Quantization settings of a variant.

    Attributes:
        method: Identifier of the transform.
        samples: Most samples for calibration.
        options: For the transform.
        layers: The precision of single layers, by name (with * for any characters) or operator.
        source: The text that it was read from, for the place of what is wrong.
    """

    method: str
    samples: int
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    layers: Mapping[str, str] = field(default_factory=dict)
    source: PresetText = field(default=PresetText("the preset", "", {}), compare=False)

    @classmethod
    def from_options(cls, options: QuantizeOptions | SensitivityOptions) -> Preset:
        """Return the preset in the options of a step."""
        values: dict[str, OptionValue] = {
            "calibration": options.calibration,
            "samples": options.samples,
            "keep": list(options.keep_float),
        }
        if isinstance(options, QuantizeOptions):
            values["method"] = options.method
        return cls.of(options.preset, options.preset_name, values)

    @classmethod
    def of(
        cls,
        text: str | None,
        name: str = "",
        given: Mapping[str, OptionValue] = MappingProxyType({}),
    ) -> Preset:
        """Return the preset of a text: given values, else those of the text, else defaults.

        Args:
            name: What messages call it.
            given: Values of the step's options; one that is the default gives way to the text.

        Raises:
            UsageError: with line and column, when the text is not TOML or a value does not fit.
        """
        source = PresetText.read(text or "", name or "the preset")
        check_head(source)
        values = {k: v for k, v in source.values.items() if k not in (*HEAD, LAYERS)}
        for part, name in _PARTS.items():
            option = next(replace(one, name=part) for one in QUANTIZE.form if one.name == name)
            default = option.check(option.default)
            asked = given.get(part, default)
            if part not in values or asked != default:
                values[part] = asked
            else:
                values[part] = _fitting(source, option, values[part])
        layers = source.values.get(LAYERS, {})
        method, samples = str(values.pop("method")), cast(int, values.pop("samples"))
        return cls(method, samples, values, cast(Mapping[str, str], layers), source)

    def for_transform(self, options: Sequence[Option]) -> Preset:
        """Return the preset with a transform's options alone, each in its own type.

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
            values[option] = [*cast("list[str]", values.get(option) or []), pattern]
        return replace(self, options={k: v for k, v in values.items() if k in known})

    def to_json(self) -> dict[str, OptionValue]:
        """Return the values under the names that a preset file uses."""
        return {"method": self.method, "samples": self.samples, **self.options}

    def to_text(self) -> str:
        """Return the preset as a file with the same effect and the head of its own text."""
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
            reason = (
                f"the precision of a layer must be one of {', '.join(PRECISIONS)}, not "
                f"{precision!r}."
            )
            raise source.wrong(reason, pattern, table=LAYERS)


def _fitting(source: PresetText, option: Option, value: OptionValue) -> OptionValue:
    try:
        fitting: OptionValue = option.check(value)
    except UsageError as error:
        raise source.wrong(error.message, option.name, hint=error.hint) from None
    return fitting
