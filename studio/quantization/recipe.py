"""A recipe: the method and its options, as data that can be kept and replayed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from studio.api import Option, UsageError
from studio.quantization.step import QUANTIZE

_PARTS = ("method", "calibration", "samples", "keep")
"""The options of the step that belong to a recipe."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a variant is made.

    Attributes:
        method: Identifier of the transform.
        samples: At most so many calibrate.
        options: For the transform.
    """

    method: str
    samples: int
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Recipe:
        """The recipe that a step's arguments ask for: those given, else the file's, else defaults.

        Raises:
            UsageError: when the file is not TOML, or has an unknown key or value.
        """
        step = {option.name: option for option in QUANTIZE.options}
        written = _read(Path(arguments["recipe"])) if arguments.get("recipe") else {}
        values = dict(written)
        for name in _PARTS:
            given = arguments.get(name, step[name].default)
            if name not in written or given != step[name].check(step[name].default):
                values[name] = given
            else:
                values[name] = step[name].check(written[name])
        return cls(values.pop("method"), values.pop("samples"), values)

    def for_transform(self, options: Sequence[Option]) -> Recipe:
        """The same recipe with those options alone that a transform knows.

        Raises:
            UsageError: when a value of the recipe's own file is unknown to it.
        """
        known = {option.name for option in options}
        foreign = sorted(set(self.options) - known - set(_PARTS))
        if foreign:
            raise UsageError(
                f"{self.method} has no option {foreign[0]!r}.",
                hint=f"Known: {', '.join(sorted(known))}.",
            )
        return replace(self, options={k: v for k, v in self.options.items() if k in known})

    def to_json(self) -> dict[str, Any]:
        """The values under the names that a recipe file uses."""
        return {"method": self.method, "samples": self.samples, **self.options}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The recipe {path.name} cannot be read as TOML: {error}.") from None
