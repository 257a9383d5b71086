"""The folder of an app: ``app.toml``, models with their settings, recordings, own steps."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from studio.api import InvalidData, StudioError
from studio.datasets import Preprocess
from studio.datasets.output_settings import read_outputs
from studio.datasets.text_lines import text_lines
from studio.documents.plain import plain
from studio.documents.toml_text import loads
from studio.features.apps import FILE
from studio.features.apps.edit import digest_of
from studio.lazy_dataclass import dataclass
from studio.runtime.apps.document import AppDocument, ModelFiles
from studio.runtime.apps.graph import AppGraph, graph_of
from studio.runtime.apps.settings import AppError
from studio.runtime.serve.decoders.decoder import Decoder
from studio.runtime.serve.engine.source import ModelSource, from_file
from studio.runtime.shared.errors import LoadError

_MOST_BYTES = 1 << 20
_HINT = "See docs/apps.md."
README = "README.md"
_MOST_LINES = 40
_MOST_LINE = 1000
_HEADING = re.compile(r"#+\s+(.*)")
_ABOUT_LIMITS = re.compile(r"\blimit(s|ations?)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelParts:
    """Files of one model of an app.

    Attributes:
        preprocess, outputs, labels, dictionary: None where it has none.
    """

    name: str
    model: Path
    preprocess: Path | None
    outputs: Path | None
    labels: Path | None
    dictionary: Path | None

    def source(self) -> ModelSource:
        """Return what the runtime loads.

        Raises:
            StudioError: when a file cannot be read.
        """
        try:
            found = from_file(self.model)
        except LoadError as error:
            raise StudioError(str(error)) from None
        labels = tuple(text_lines(self.labels)) if self.labels else ()
        decoder = None
        if self.outputs is not None:
            characters = tuple(text_lines(self.dictionary)) if self.dictionary else ()
            decoder = Decoder(read_outputs(self.outputs), labels, characters)
        return found._replace(
            name=self.name,
            labels=labels,
            preprocess=Preprocess.from_toml(self.preprocess) if self.preprocess else None,
            decoder=decoder,
        )


@dataclass(frozen=True, slots=True)
class AppFiles:
    """An app in a folder.

    Attributes:
        folder: Folder of its ``app.toml``, within which all its files lie.
        digest: Fingerprint of ``app.toml`` (see ``edit.digest_of``).
    """

    folder: Path
    document: AppDocument
    digest: str = ""

    @classmethod
    def open(cls, path: Path) -> AppFiles:
        """Read an app.

        Args:
            path: Its folder, or its ``app.toml``.

        Raises:
            InvalidData: in one sentence, when it cannot be used.
        """
        file = path / FILE if path.is_dir() else path
        try:
            if file.stat().st_size > _MOST_BYTES:
                raise InvalidData(f"{file.name} is too large for an app.")
            written = file.read_bytes()
            content = loads(written.decode("utf-8"))
        except UnicodeDecodeError:
            raise InvalidData(f"{file.name} is no app.toml: it is not text.", hint=_HINT) from None
        except (OSError, tomllib.TOMLDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InvalidData(f"{file.name} cannot be read: {reason}.", hint=_HINT) from None
        try:
            return cls(file.parent, AppDocument.from_json(content), digest_of(written))
        except AppError as error:
            raise invalid(error) from None

    def graph(self, variables: Mapping[str, str]) -> AppGraph:
        """Check the connections and settings of all parts.

        Raises:
            InvalidData: in one sentence, naming the part.
        """
        try:
            return graph_of(self.document, variables)
        except AppError as error:
            raise invalid(error) from None

    def code_digest(self, graph: AppGraph) -> str:
        """Return the SHA-256 of the app's own code, and of all other Python files in the folder."""
        digest = hashlib.sha256()
        own = (self.folder / name for name in graph.own_code.values())
        for path in sorted({*self.folder.rglob("*.py"), *own}):
            name = path.relative_to(self.folder).as_posix().encode()
            content = path.read_bytes() if path.is_file() else b""
            digest.update(hashlib.sha256(name).digest() + hashlib.sha256(content).digest())
        return digest.hexdigest()

    def models(self) -> dict[str, ModelParts]:
        """Return the files of each model, by its name.

        Raises:
            InvalidData: for a file that is missing or lies outside the folder.
        """
        return {name: self._parts(name, files) for name, files in self.document.models.items()}

    def limits(self) -> tuple[tuple[str, ...], str]:
        """Return the lines about limits of the README, or why there are none."""
        try:
            with self.path(README, "The description").open("rb") as opened:
                text = opened.read(_MOST_BYTES).decode("utf-8", "replace")
        except InvalidData as error:
            return (), error.message
        except OSError:
            return (), f"{README} cannot be read."
        lines = limit_lines(text)
        return lines, "" if lines else f"{README} has no heading about limits"

    def path(self, name: str, what: str) -> Path:
        """Return the path of a file of the app.

        Raises:
            InvalidData: when it is missing or lies outside the folder.
        """
        found = (self.folder / name).resolve()
        if not found.is_relative_to(self.folder.resolve()):
            raise InvalidData(f"{what}: {name} is outside the folder of the app.", hint=_HINT)
        if not found.exists():
            raise InvalidData(f"{what}: {name} does not exist in the folder of the app.")
        return found

    def _parts(self, name: str, files: ModelFiles) -> ModelParts:
        what = f"models.{name}"
        if not files.file:
            raise InvalidData(f"{what} needs the setting file.", hint=_HINT)
        model = self.path(files.file, what)

        def part(given: str, usual: str) -> Path | None:
            if given:
                return self.path(given, what)
            beside = model.parent / usual
            return beside if beside.is_file() else None

        return ModelParts(
            name,
            model,
            part(files.preprocess, "preprocess.toml"),
            part(files.outputs, "outputs.toml"),
            part(files.labels, "labels.txt"),
            part(files.dictionary, "dictionary.txt"),
        )


def invalid(error: AppError) -> InvalidData:
    """Return the error of the studio for one of the runtime."""
    return InvalidData(str(error), hint=error.hint or _HINT)


def limit_lines(text: str) -> tuple[str, ...]:
    """Return the lines below the headings of a Markdown text that name limits."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading:
            inside = bool(_ABOUT_LIMITS.search(heading.group(1)))
        elif inside and line.strip():
            found.append(plain(line.strip().lstrip("-*+ "))[:_MOST_LINE])
    return tuple(found[:_MOST_LINES])
