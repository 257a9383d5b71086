"""The description of an app: its models, sources, steps and sinks, as ``app.toml`` gives them."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

from ..shared.files import plain_name
from .own_code import TYPE as OWN_CODE
from .settings import AppError, read_settings

MOST_PARTS = 200
MOST_SOURCES = 64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]{0,63})\}")


class PartDocument(NamedTuple):
    """One source, step or sink.

    Attributes:
        type: What it is, such as ``line``.
        inputs: Names of the parts whose values it takes.
        settings: The rest, as written.
    """

    name: str
    type: str
    inputs: Tuple[str, ...]
    settings: Mapping[str, Any]

    def variable_names(self) -> Tuple[str, ...]:
        """Return the names of the variables in the settings."""
        found = [name for text in _all_texts(self.settings) for name in _VARIABLE.findall(text)]
        return tuple(dict.fromkeys(found))


class ModelFiles(NamedTuple):
    """Files of one model of an app, seen from its folder.

    Attributes:
        file: The model; empty: the model with which the app travels.
        preprocess, outputs, labels, dictionary: What belongs to it; empty: what lies next to it.
    """

    file: str = ""
    preprocess: str = ""
    outputs: str = ""
    labels: str = ""
    dictionary: str = ""


class PreviewSettings(NamedTuple):
    """Pictures that may leave the board.

    Attributes:
        allowed: Whether users of the server may see what the sources see.
        blur: Classes of objects, or names of steps, that are made unrecognisable before.
        width: Most columns of a preview.
        fps: Most pictures a second of each source.
    """

    allowed: bool = False
    blur: Tuple[str, ...] = ()
    width: int = 960
    fps: float = 5.0


class OutboxSettings(NamedTuple):
    """Store of events on the board.

    Attributes:
        most: Events kept until they are delivered; the oldest are lost beyond.
        days: Days for which delivered events are kept.
    """

    most: int = 100_000
    days: float = 7.0


class TrialSettings(NamedTuple):
    """Comparison of the events of a new version with those of the previous one.

    Attributes:
        within_s: Seconds between two events that are the same.
        compare: Details that must be equal, besides kind, source and step.
    """

    within_s: float = 1.0
    compare: Tuple[str, ...] = ("direction", "label", "text")


class ReplaySettings(NamedTuple):
    """Replay of recordings with events that are known to happen, as a test.

    Attributes:
        variables: Values of variables, such as the recording in place of a camera.
        expected: File with the expected events, one JSON object a line.
        kinds: Kinds of events that are compared; empty: those that are expected.
        within_s: Seconds between an expected event and the one that was found.
        compare: Details that must be equal.
        f1: Least F1 score of the events.
    """

    variables: Mapping[str, str] = {}
    expected: str = ""
    kinds: Tuple[str, ...] = ()
    within_s: float = 1.0
    compare: Tuple[str, ...] = ("direction", "label", "text")
    f1: float = 0.95


class AppDocument(NamedTuple):
    """An app as it is written down.

    Attributes:
        name: As events and topics give it.
        notice: A sentence that every page and every event of the app carries.
        variables: Values of ``${NAME}`` in settings, unless the board sets others.
        packages: Distributions that its own steps need on a board.
        files: Further files of its folder that travel with it, such as a list of prices.
    """

    name: str
    title: str
    notice: str
    variables: Mapping[str, str]
    models: Mapping[str, ModelFiles]
    sources: Tuple[PartDocument, ...]
    steps: Tuple[PartDocument, ...]
    sinks: Tuple[PartDocument, ...]
    preview: PreviewSettings = PreviewSettings()
    outbox: OutboxSettings = OutboxSettings()
    trial: TrialSettings = TrialSettings()
    packages: Mapping[str, str] = {}
    test: ReplaySettings = ReplaySettings()
    files: Tuple[str, ...] = ()

    @staticmethod
    def from_json(content: object) -> AppDocument:
        """Read an app from a manifest or a file.

        Raises:
            AppError: in one sentence, for what is missing, unknown or of another type.
        """
        if not isinstance(content, Mapping):
            raise AppError("An app is a table of sources, steps and sinks.")
        for name in content:
            if name not in _KEYS:
                raise AppError("app.toml has no table {!r}.".format(str(name)[:60]))
        name = _text(content, "name")
        if not _NAME.fullmatch(name):
            raise AppError("name must be a word of letters, digits, - and _.")
        variables = _texts(content, "variables")
        found = AppDocument(
            name,
            _text(content, "title") or name,
            _text(content, "notice"),
            variables,
            _models(content),
            _parts(content, "sources"),
            _parts(content, "steps"),
            _parts(content, "sinks"),
            read_settings(PreviewSettings, _table(content, "preview"), "preview"),
            read_settings(OutboxSettings, _table(content, "outbox"), "outbox"),
            read_settings(TrialSettings, _table(content, "trial"), "trial"),
            _texts(content, "packages"),
            read_settings(ReplaySettings, _table(content, "test"), "test"),
            _names(content, "files"),
        )
        found._check()
        return found

    def _check(self) -> None:
        if not self.sources:
            raise AppError("The app has no source.")
        if len(self.sources) > MOST_SOURCES:
            raise AppError("An app has at most {} sources.".format(MOST_SOURCES))
        parts = [*self.sources, *self.steps, *self.sinks]
        if len(parts) > MOST_PARTS:
            raise AppError("An app has at most {} parts.".format(MOST_PARTS))
        seen: Dict[str, int] = {}
        for part in parts:
            if part.name in seen:
                raise AppError("Two parts of the app are named {!r}.".format(part.name))
            seen[part.name] = 1
            if part.type == OWN_CODE:
                _check_code(part)
        if not 1 <= self.outbox.most <= 10_000_000:
            raise AppError("outbox: most is from 1 to 10,000,000.")
        if not 0.1 <= self.preview.fps <= 30 or not 32 <= self.preview.width <= 4096:
            raise AppError("preview: fps is from 0.1 to 30, width from 32 to 4096.")

    def to_json(self) -> Dict[str, Any]:
        """Return it as the manifest of a bundle has it."""
        document: Dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "notice": self.notice,
            "variables": dict(self.variables),
            "models": {name: dict(files._asdict()) for name, files in self.models.items()},
            "preview": _listed(self.preview),
            "outbox": _listed(self.outbox),
            "trial": _listed(self.trial),
            "packages": dict(self.packages),
            "files": list(self.files),
        }
        for key, parts in (
            ("sources", self.sources),
            ("steps", self.steps),
            ("sinks", self.sinks),
        ):
            # A list, for the keys of a manifest are sorted, and the order of steps would be lost.
            document[key] = [_part_json(part) for part in parts]
        return document

    def settings_of(self, part: PartDocument, given: Mapping[str, str]) -> Dict[str, Any]:
        """Return the settings of a part with the values of their variables.

        Args:
            given: Values of this board, which go before those of the document.

        Raises:
            AppError: for a variable without a value.
        """
        place = "{}: ".format(part.name)
        values = {**self.variables, **given}
        return {name: _filled(value, values, place) for name, value in part.settings.items()}

    def variable_names(self) -> Tuple[str, ...]:
        """Return the names of the variables in the settings."""
        found: List[str] = []
        for part in (*self.sources, *self.steps, *self.sinks):
            found += part.variable_names()
        return tuple(dict.fromkeys(found))


_KEYS = AppDocument._fields


def names_in(document: AppDocument) -> Tuple[str, ...]:
    """Return the variables of an app: those with a value of their own, and those in settings."""
    return tuple(dict.fromkeys((*document.variables, *document.variable_names())))


def is_variable(name: str) -> bool:
    """Return whether a text can be the name of a variable."""
    return _VARIABLE.fullmatch("${" + name + "}") is not None


def _listed(record: NamedTuple) -> Dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in record._asdict().items()
    }


def _part_json(part: PartDocument) -> Dict[str, Any]:
    inputs = {"input": list(part.inputs)} if part.inputs else {}
    return {"name": part.name, "type": part.type, **inputs, **part.settings}


def _text(content: Mapping[str, object], name: str) -> str:
    value = content.get(name, "")
    if not isinstance(value, str) or len(value) > 1000:
        raise AppError("{} must be a short text.".format(name))
    return value


def _table(content: Mapping[str, object], name: str) -> Mapping[str, Any]:
    value = content.get(name, {})
    if not isinstance(value, Mapping):
        raise AppError("[{}] must be a table.".format(name))
    return value


def _texts(content: Mapping[str, object], name: str) -> Dict[str, str]:
    table = _table(content, name)
    for key, value in table.items():
        if not isinstance(value, str):
            raise AppError("{}.{} must be a text.".format(name, key))
    return {str(key): str(value) for key, value in table.items()}


def _names(content: Mapping[str, object], name: str) -> Tuple[str, ...]:
    value = content.get(name, ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise AppError("{} is a list of files.".format(name))
    return tuple(str(one) for one in value)


def _models(content: Mapping[str, object]) -> Dict[str, ModelFiles]:
    found = {}
    for name, value in _table(content, "models").items():
        _check_name(name)
        place = "models.{}".format(name)
        if not isinstance(value, Mapping):
            raise AppError("[{}] must be a table.".format(place))
        found[name] = read_settings(ModelFiles, value, place)
    return found


def _parts(content: Mapping[str, object], group: str) -> Tuple[PartDocument, ...]:
    """Return the parts of a table by their names, or of a list of parts with names."""
    given = content.get(group)
    if not isinstance(given, (list, tuple)):
        return tuple(_part(group, name, value) for name, value in _table(content, group).items())
    rows = [one for one in given if isinstance(one, Mapping)]
    if len(rows) != len(given):
        raise AppError("[{}] must be a table.".format(group))
    return tuple(
        _part(group, row.get("name"), {key: one for key, one in row.items() if key != "name"})
        for row in rows
    )


def _part(group: str, name: object, value: object) -> PartDocument:
    text = _check_name(name)
    place = "{}.{}".format(group, text)
    if not isinstance(value, Mapping):
        raise AppError("[{}] must be a table.".format(place))
    rest = {str(key): one for key, one in value.items() if key not in ("type", "input")}
    kind, inputs = value.get("type"), value.get("input", ())
    if not isinstance(kind, str):
        raise AppError("[{}] needs a type.".format(place))
    inputs = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(inputs, (list, tuple)) or not all(isinstance(one, str) for one in inputs):
        raise AppError("{}: input is the name of a part, or a list of names.".format(place))
    if group == "sources" and inputs:
        raise AppError("{}: a source has no input.".format(place))
    if group != "sources" and not inputs:
        raise AppError("{} needs an input.".format(place))
    return PartDocument(text, kind, tuple(inputs), rest)


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        shown = "{!r}".format(name)[:60]
        raise AppError("{} is no name: use letters, digits, - and _.".format(shown))
    return name


def _check_code(part: PartDocument) -> None:
    """Refuse code that the signature of a bundle would not cover."""
    file = part.settings.get("file", "")
    if not isinstance(file, str) or _VARIABLE.search(file) or (file and not plain_name(file)):
        raise AppError(
            "{}: file is the name of a Python file in the folder of the app.".format(part.name),
            "Write the name itself: no variable, no .. and no path from the root.",
        )


def _filled(value: Any, values: Mapping[str, str], place: str) -> Any:
    if isinstance(value, (list, tuple)):
        return [_filled(one, values, place) for one in value]
    if isinstance(value, Mapping):
        return {key: _filled(one, values, place) for key, one in value.items()}
    if not isinstance(value, str):
        return value
    for name in _VARIABLE.findall(value):
        if name not in values:
            raise AppError(
                "{}the variable {} has no value.".format(place, name),
                "Set it: --set {}=VALUE, or [variables] in app.toml.".format(name),
            )
    return _VARIABLE.sub(lambda match: values[match.group(1)], value)


def _all_texts(value: Any) -> List[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [text for one in value for text in _all_texts(one)]
    return []
