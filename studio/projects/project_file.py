"""``project.toml``: settings of a project by its author, or by the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.api import UsageError
from studio.documents.toml_text import TomlText, literal
from studio.lazy_dataclass import dataclass
from studio.projects.discovery import inside
from studio.projects.results import FIELDS, LISTS, PATHS, TASKS, TEXTS
from studio.settings.files import write_atomically

FILE = "project.toml"
_MOST_BYTES = 64 * 1024

Value = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """Values of a project's file.

    Attributes:
        texts: Task and metric, by field.
        paths: Absolute paths, by field.
        lists: Names of targets and of nodes kept in float, by field.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, Path] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def changed(self, values: Mapping[str, Value | None]) -> ProjectSettings:
        """Return the settings with other values; None removes a value."""
        texts, paths, lists = dict(self.texts), dict(self.paths), dict(self.lists)
        for name, value in values.items():
            if value is None:
                for each in (texts, paths, lists):
                    each.pop(name, None)
            elif name in LISTS:
                lists[name] = tuple(value)
            elif name in PATHS:
                paths[name] = Path(str(value))
            else:
                texts[name] = str(value)
        return ProjectSettings(texts, paths, lists)

    def write(self, file: Path) -> None:
        """Write the file of the user's own settings, whose paths are absolute.

        Raises:
            UsageError: when it would be larger than a file that is read.
        """
        values: dict[str, str | list[str]] = {
            **self.texts,
            **{name: str(path) for name, path in self.paths.items()},
            **{name: list(names) for name, names in self.lists.items()},
        }
        lines = [f"{name} = {literal(values[name])}" for name in FIELDS if name in values]
        content = ("\n".join(lines) + "\n").encode()
        if len(content) > _MOST_BYTES:
            raise UsageError(
                f"A project has at most {_MOST_BYTES // 1024} KB of settings.",
                hint="Name fewer nodes, or use a pattern in the preset's keep option.",
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, content)


def read_settings(file: Path, folder: Path | None) -> ProjectSettings:
    """Return the values of a project's file; none when it does not exist.

    Args:
        folder: The folder in which all its paths must lie; None for the user's own file, which
            may name any.

    Raises:
        UsageError: with line and column, for an unknown key, a value of another type, or a path
            that leads out of the folder.
    """
    if folder is not None and file.exists() and not inside(file, folder):
        raise UsageError(f"{file} is a link that leads out of its folder.")
    toml = TomlText.read(_text(file), file.name)
    for key in toml.values:
        if key not in FIELDS:
            raise toml.unknown(FIELDS, key)
    texts = {name: _text_value(toml, name) for name in TEXTS if name in toml.values}
    if texts.get("task", TASKS[0]) not in TASKS:
        raise _unknown_task(toml, texts)
    paths = {name: _path_value(toml, name, folder) for name in PATHS if name in toml.values}
    lists = {name: _list_value(toml, name) for name in LISTS if name in toml.values}
    return ProjectSettings(texts, paths, lists)


def _text(file: Path) -> str:
    try:
        if file.exists() and not file.is_file():  # a pipe would never end
            raise UsageError(f"{file} is not a file.")
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise UsageError(f"{file} is larger than {_MOST_BYTES // 1024} KB.")
        return content.decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8 text.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}.") from None


def _unknown_task(toml: TomlText, texts: Mapping[str, str]) -> UsageError:
    known = ", ".join(TASKS)
    return toml.wrong(f"unknown task {texts['task']!r}.", "task", hint=f"Known: {known}.")


def _text_value(toml: TomlText, name: str) -> str:
    value = toml.values[name]
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 200:
        raise toml.wrong(f"{name} must be a text.", name)
    return value


def _path_value(toml: TomlText, name: str, folder: Path | None) -> Path:
    value = _text_value(toml, name)
    if folder is None:
        return Path(value)
    path = folder / value
    # A file that somebody else has written may not name what lies elsewhere on this computer.
    if Path(value).is_absolute() or ".." in Path(value).parts:
        raise toml.wrong(f"{name} must lie in the project's folder.", name)
    if path.exists() and not inside(path, folder):
        raise toml.wrong(f"{name} is a link that leads out of the project's folder.", name)
    return path


def _list_value(toml: TomlText, name: str) -> tuple[str, ...]:
    value = toml.values[name]
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise toml.wrong(f"{name} must be a list of names.", name)
    return tuple(value)
