"""Quantization presets: those that ship with the studio, and the user's own."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from studio.api import UsageError
from studio.lazy_dataclass import dataclass
from studio.quantization.preset import HEAD, check_head
from studio.quantization.preset_text import PresetText
from studio.quantization.step import PreviewOptions, QuantizeOptions, SensitivityOptions
from studio.registry import Registry
from studio.settings import resource, write_atomically

OptionsT = TypeVar("OptionsT", QuantizeOptions, SensitivityOptions, PreviewOptions)

FOLDER = "presets"
"""The folder of the user's presets, next to the registry; and that of the resources."""

LANGUAGE = "language"
"""The folder of the resources with presets for language models."""

_NAME = re.compile(r"[\w][\w .-]{0,63}")
_FIRST = (
    "int8",
    "int8-arm",
    "int8-dynamic",
    "int8-weights",
    "int4-weights",
    "fp16",
    "bf16",
    "a16w8",
)
"""The order of a list of those that ship; what is not named here follows."""


@dataclass(frozen=True, slots=True)
class PresetEntry:
    """One preset, as lists show it.

    Attributes:
        title: Its name for people.
        summary: What it does, in one sentence.
        hardware: Where it pays.
        own: Whether the user has written it.
    """

    name: str
    title: str
    summary: str
    hardware: str
    method: str
    text: str
    own: bool

    @classmethod
    def of(cls, source: PresetText, name: str, own: bool) -> PresetEntry:
        """Return the entry of a parsed text.

        Raises:
            UsageError: with line and column, when its head does not fit.
        """
        check_head(source)
        title, summary, hardware = (str(source.values.get(key, "")) for key in HEAD)
        method = str(source.values.get("method", "static-int8"))
        return cls(name, title or name, summary, hardware, method, source.text, own)


def all_presets(data: Path) -> tuple[PresetEntry, ...]:
    """Return every readable preset, those that ship with the studio first.

    Args:
        data: The folder that contains the registry.
    """
    order = {name: position for position, name in enumerate(_FIRST)}
    shipped = sorted(resource(FOLDER).glob("*.toml"), key=lambda p: order.get(p.stem, len(order)))
    own = _own(data)
    found = []
    for path in (*shipped, *own):
        try:
            found.append(PresetEntry.of(_read(path), path.stem, path in own))
        except UsageError:  # reported when it is requested by name
            continue
    return tuple(found)


def language_presets() -> tuple[PresetEntry, ...]:
    """Return the presets for language models, the largest types first."""
    paths = sorted(resource(FOLDER, LANGUAGE).glob("*.toml"), key=_by_bits)
    return tuple(PresetEntry.of(_read(path), path.stem, False) for path in paths)


def _by_bits(path: Path) -> tuple[bool, int, str]:
    """Return the place of a preset: plain ones first, by the bits in the name of the type."""
    kind = path.stem.rpartition("-")[2]
    return "-" in path.stem, -int(next(filter(str.isdigit, kind), "0")), path.stem


def find(wanted: str, data: Path) -> tuple[PresetEntry, str]:
    """Return the preset of a name, a file or a text, and its name in messages.

    Raises:
        UsageError: when no such preset exists, or its text is invalid.
    """
    if "\n" in wanted or "=" in wanted:
        source = PresetText.read(wanted)
        return PresetEntry.of(source, str(source.values.get("title", "")), True), source.name
    path = Path(wanted).expanduser()
    own = True
    if path.suffix != ".toml" and not path.is_file():
        saved = next((one for one in _own(data) if one.stem == wanted), None)
        own = saved is not None
        names = (f"{wanted}.toml", f"{LANGUAGE}/{wanted.lower()}.toml")
        shipped = (resource(FOLDER) / name for name in names)
        path = saved or next((one for one in shipped if one.is_file()), Path())
        if not path.is_file():
            raise _absent(wanted, data)
    return PresetEntry.of(_read(path), path.stem, own), path.name


def save(name: str, text: str, data: Path) -> Path:
    """Keep a text among the user's own presets, where its name finds it.

    Raises:
        UsageError: when the name cannot be one, or is that of a preset that ships.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"Invalid preset name {name!r}: use letters, digits and dashes.")
    shipped = (resource(FOLDER, f"{name}.toml"), resource(FOLDER, LANGUAGE, f"{name}.toml"))
    if any(one.is_file() for one in shipped):
        raise UsageError(f"{name} ships with the studio; choose another name for yours.")
    PresetEntry.of(PresetText.read(text), name, True)
    path = data / FOLDER / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
    return path


def prepare(registry: Registry, options: OptionsT) -> OptionsT:
    """Put the preset's text in the place of its name or file, before the worker starts."""
    if not options.preset:
        return options
    entry, name = find(options.preset, registry.folder.parent)
    return replace(options, preset=entry.text, preset_name=name)


def _own(data: Path) -> list[Path]:
    """Return the files of the user's presets, by name."""
    return sorted((data / FOLDER).glob("*.toml"))


def _read(path: Path) -> PresetText:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"The preset {path} cannot be read: {reason}.") from None
    return PresetText.read(text, path.name)


def _absent(wanted: str, data: Path) -> UsageError:
    names = [entry.name for entry in (*all_presets(data), *language_presets())]
    near = difflib.get_close_matches(wanted, names, 1)
    nearest = f"; the nearest is {near[0]!r}" if near else ""
    return UsageError(
        f"Unknown preset {wanted!r}{nearest}.", hint=f"Known: {', '.join(names)}; or a file."
    )
