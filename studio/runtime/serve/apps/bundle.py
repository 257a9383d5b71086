"""The app of a bundle: its description, and its models next to the served one."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from ...apps.document import AppDocument
from ...apps.settings import AppError
from ...backends.catalog import backend_of
from ...shared.documents import read_record
from ...shared.errors import LoadError
from ..decoders.decoder import Decoder
from ..decoders.settings import OutputSettings
from ..engine.source import ModelSource
from ..images.preprocess import Preprocess

FOLDER = "app"
"""Folder of a bundle with the files of its app."""

VARIABLES = "app-variables.json"
"""File of a root of releases with the variables of this board."""

ENVIRONMENT = "EDGEWRIGHT_APP_VARIABLES"
"""Variable of the environment with the same content, as for containers."""

FILE = "EDGEWRIGHT_APP_VARIABLES_FILE"
"""Variable of the environment with the path of such a file, as for secrets that are mounted."""

_MOST_BYTES = 64 * 1024


class BundledModel(NamedTuple):
    """One model of an app, as the manifest has it.

    Attributes:
        file: Seen from the bundle; empty: the model that the bundle serves.
        labels, dictionary: Files of the bundle; empty for none.
    """

    name: str
    file: str = ""
    precision: str = ""
    backend: str = ""
    preprocess: object = None
    outputs: object = None
    labels: str = ""
    dictionary: str = ""


class _AppKeys(NamedTuple):
    """Keys of a manifest about an app."""

    app: object = None
    app_models: Tuple[BundledModel, ...] = ()


class AppBundle(NamedTuple):
    """An app in a bundle.

    Attributes:
        models: The source of each model; None for the one that the bundle serves.
    """

    folder: Path
    document: AppDocument
    models: Mapping[str, Optional[ModelSource]]


def app_of(folder: Path, served: ModelSource) -> Optional[AppBundle]:
    """Return the app of a bundle's folder; None for a bundle without one.

    Raises:
        LoadError: in one sentence, when it cannot be used.
    """
    try:
        raw = json.loads((folder / "manifest.json").read_text("utf-8"))
        found = read_record(_AppKeys, raw)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # the server says what is wrong with a manifest
    if found.app is None:
        return None
    try:
        document = AppDocument.from_json(found.app)
        models = {one.name: _source(folder, one, served) for one in found.app_models}
    except (AppError, ValueError) as error:
        raise LoadError("The app of the bundle cannot run: {}".format(error)) from None
    return AppBundle(folder, document, models)


def _source(folder: Path, model: BundledModel, served: ModelSource) -> Optional[ModelSource]:
    if not model.file:
        return None
    path = _inside(folder, model.file)
    labels = _lines(folder, model.labels)
    decoder = None
    if model.outputs is not None:
        settings = OutputSettings.from_json(model.outputs)
        decoder = Decoder(settings, labels, _lines(folder, model.dictionary))
    preprocess = None if model.preprocess is None else Preprocess.from_json(model.preprocess)
    return ModelSource(
        name=model.name,
        version=served.version,
        digest=served.digest,
        precision=model.precision,
        path=path,
        labels=labels,
        preprocess=preprocess,
        decoder=decoder,
        backend=backend_of(path, model.backend),
        acceleration=served.acceleration,
    )


def file_of(folder: Path, name: str) -> str:
    """Return the path of a file or folder of an app: one of its bundle, or one of the board.

    Raises:
        AppError: when it is not there.
    """
    path = Path(name)
    if not path.is_absolute():
        try:
            path = _place(folder / FOLDER, name)
        except ValueError as error:
            raise AppError(str(error)) from None
        if not path.exists():
            raise AppError("The bundle lacks the file {}.".format(name))
    if not path.exists():
        raise AppError("The file {} does not exist.".format(name))
    return str(path)


def output_of(data: Path, name: str) -> str:
    """Return the path of a file to write: below the data of an app, or a path of the board.

    Raises:
        AppError: for a name that leads out of the data.
    """
    if ".." in PurePosixPath(name).parts:
        raise AppError("The file {} is outside the data of the app.".format(name))
    return str(data / name)


def variables_of(root: Optional[Path]) -> Dict[str, str]:
    """Return the variables of this board.

    Args:
        root: Of the releases; None where there are none.

    Raises:
        LoadError: when they cannot be read.
    """
    given = os.environ.get(FILE, "")
    paths = [root / VARIABLES] if root is not None else []
    texts = [_content(path) for path in (*paths, *([Path(given)] if given else []))]
    texts.append(os.environ.get(ENVIRONMENT, ""))
    found: Dict[str, str] = {}
    for text in filter(None, texts):
        found.update(_parsed(text))
    return found


def _content(path: Path) -> str:
    """Return the text of a file; empty where there is no such file."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise LoadError("{} cannot be read: {}.".format(path.name, error)) from None


def _parsed(text: str) -> Dict[str, str]:
    try:
        content: Any = json.loads(text) if len(text) <= _MOST_BYTES else None
    except ValueError:
        content = None
    if not isinstance(content, dict) or not all(isinstance(one, str) for one in content.values()):
        raise LoadError("The variables of the app are no JSON object of texts.")
    return content


def _inside(folder: Path, name: str) -> Path:
    path = _place(folder, name)
    if not path.is_file():
        raise ValueError("The bundle lacks the file {}.".format(name))
    return path


def _place(folder: Path, name: str) -> Path:
    file = PurePosixPath(name)
    if file.is_absolute() or ".." in file.parts:
        raise ValueError("The file {} is outside the app.".format(name))
    return folder / file


def _lines(folder: Path, name: str) -> Tuple[str, ...]:
    if not name:
        return ()
    try:
        text = _inside(folder, name).read_text("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError("The file {} cannot be read: {}.".format(name, error)) from None
    lines = text[: -1 if text.endswith("\n") else None].split("\n")
    return tuple(lines)
