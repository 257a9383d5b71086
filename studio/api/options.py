"""Options of a capability or a step, described as data.

The form in the window, the flags of the command line, the documentation and the validation
are all made from them, so that most plugins need no code for any of these.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from studio.api.errors import UsageError
from studio.lazy_dataclass import dataclass

ValueT = TypeVar("ValueT")


class Kind(enum.Enum):
    """What a value means; it decides the widget, the parser and the check."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    FILE = "file"
    FOLDER = "folder"
    OUTPUT = "output"  # a file or folder that will be written
    DATA = "data"  # a folder, .npz or .npy of samples
    MODEL = "model"  # a path, "name", "name:variant", or a variant's number
    TARGET = "target"  # the name of a target
    PRESET = "preset"  # the name of a quantization preset, its TOML file, or the text itself


@dataclass(frozen=True, slots=True)
class Option:
    """One named, typed value.

    Attributes:
        name: snake_case; the command line shows it with dashes.
        title: Label of the form, in the user's words.
        help: One sentence for the tooltip and ``--help``.
        choice_titles: What the form shows for each of ``choices``, in the user's words.
        zero: What a number of 0 means, where it is not a quantity (``automatic``).
        placeholder: What a form shows where nothing is entered: what that means (``all``), or an
            example (``ann@example.org``).
        minimum, maximum: Inclusive bounds of a number.
        many: The value is a list of such values.
        positional: On the command line, given without a flag.
        advanced: Shown behind a disclosure.
        plugins: An extension point (``transforms``) whose capabilities may be chosen by their ids
            beside ``choices``; which there are, is known only when plugins are looked for.
        names: What of the model's graph is named, for a form that offers it: ``value``,
            ``output``, or ``size`` (a symbolic size or an input).
        project: Fields of the model's project, of which the first that has a value is used where
            the option is not given; ``none`` leaves it without.
        folders: A FILE may be a folder as well, as of a model that has several files.
        secret: Values may be passwords, as in ``NAME=VALUE``: only the names are recorded.
    """

    name: str
    kind: Kind = Kind.TEXT
    default: Any = None
    title: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()
    choice_titles: tuple[str, ...] = ()
    zero: str = ""
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    required: bool = False
    many: bool = False
    positional: bool = False
    advanced: bool = False
    names: str = ""
    plugins: str = ""
    placeholder: str = ""
    project: tuple[str, ...] = ()
    folders: bool = False
    secret: bool = False

    @property
    def flag(self) -> str:
        """The command line's spelling."""
        return "--" + self.name.replace("_", "-")

    @property
    def label(self) -> str:
        """The title, or one made from the name."""
        return self.title or self.name.replace("_", " ").capitalize()

    def check(self, value: Any) -> Any:
        """Return the value in its own type; raise UsageError in one sentence if it does not fit."""
        if value is None:
            if self.required:
                raise UsageError(f"Missing option {self.label}.", hint=f"Pass {self.flag}.")
            return None
        if self.many:
            items = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
            return [self._check_one(item) for item in items]
        return self._check_one(value)

    def _check_one(self, value: Any) -> Any:
        if self.kind is Kind.FLAG:
            return self._check_flag(value)
        if self.kind in (Kind.INTEGER, Kind.NUMBER):
            return self._check_number(value)
        text = str(value)
        if self.kind is Kind.CHOICE and text not in self.choices and not self.plugins:
            known = ", ".join(self.choices)
            raise UsageError(f"{self.label} must be one of {known}, not {text!r}.")
        return text

    def _check_flag(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        text = str(value).lower()
        if text in ("true", "yes", "on", "1"):
            return True
        if text in ("false", "no", "off", "0"):
            return False
        raise UsageError(f"{self.label} is yes or no, not {value!r}.")

    def _check_number(self, value: Any) -> int | float:
        try:
            number = float(value)
            if self.kind is Kind.INTEGER and number != int(number):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            wanted = "a whole number" if self.kind is Kind.INTEGER else "a number"
            raise UsageError(f"{self.label} must be {wanted}, not {value!r}.") from None
        if math.isnan(number):
            raise UsageError(f"{self.label} must be a number, not {value!r}.")
        if self.minimum is not None and number < self.minimum:
            raise UsageError(f"{self.label} must be at least {self.minimum:g}, not {value}.")
        if self.maximum is not None and number > self.maximum:
            raise UsageError(f"{self.label} must be at most {self.maximum:g}, not {value}.")
        return int(number) if self.kind is Kind.INTEGER else number


def validate(options: Iterable[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every option's value (given or default), each in its own type.

    Raises:
        UsageError: for an unknown name, a missing required value, or one that does not fit.
    """
    known = {option.name: option for option in options}
    unknown = sorted(set(given) - set(known))
    if unknown:
        hint = f"Valid options: {', '.join(sorted(known))}." if known else ""
        raise UsageError(f"Unknown option {unknown[0]!r}.", hint=hint)
    return {
        name: option.check(given[name] if given.get(name) is not None else option.default)
        for name, option in known.items()
    }
