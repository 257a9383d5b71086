"""Catalog of a folder of models: the served ones, and the reasons why others are not."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Set, Tuple

from ...backends.catalog import SUFFIXES
from ...shared.errors import LoadError
from ...shared.free_memory import available_bytes
from ..http.message import HttpError
from .model_files import inside, model_in, size_of
from .repository import Repository
from .served_model import ServedModel
from .source import ModelSource, from_bundle, from_file

Key = Tuple[str, str]
"""Name and version of a model."""

_NO_MEMORY = re.compile("MemoryError|bad_alloc|allocate memory")
"""How it is said that there was not enough."""


class CatalogEntry(NamedTuple):
    """Version of a model in the folder."""

    name: str
    version: str
    path: Path

    def locate(self) -> ModelSource:
        """Return its source, under the name and version of its path.

        Raises:
            LoadError: when it cannot be read as a model or a bundle.
        """
        found = from_file(self.path) if self.path.is_file() else from_bundle(self.path)
        return found._replace(name=self.name, version=self.version)


def entries_of(folder: Path) -> List[CatalogEntry]:
    """Return the versions in a folder, in a fixed order.

    ``NAME.onnx`` is a model of its own, as are TFLite files and OpenVINO IR (``.xml``). ``NAME/``
    is a bundle, or it contains the versions ``NAME/1/``, ``NAME/2/`` ..., each a bundle or a folder
    with a ``model.onnx`` or another ``model`` file.

    Raises:
        LoadError: when the folder cannot be read.
    """
    found: List[CatalogEntry] = []
    files: Set[str] = set()
    try:
        places = sorted(folder.iterdir())
        for place in places:
            if place.name.startswith("."):
                continue
            if place.suffix in SUFFIXES and place.is_file():
                if place.stem not in files:
                    found.append(CatalogEntry(place.stem, "1", place))
                files.add(place.stem)
            elif (place / "manifest.json").is_file():
                found.append(CatalogEntry(place.name, _version(place), place))
            elif place.is_dir():
                found += _versions(place)
    except OSError as error:
        raise LoadError("{} cannot be read: {}.".format(folder, error.strerror)) from error
    return found


def _versions(place: Path) -> List[CatalogEntry]:
    found: List[CatalogEntry] = []
    for folder in sorted(place.iterdir()):
        if not (folder.name.isdigit() and folder.is_dir()):
            continue
        bundle = (folder / "manifest.json").is_file()
        files = [folder / ("model" + suffix) for suffix in SUFFIXES]
        path = folder if bundle else next((one for one in files if one.exists()), None)
        if path is not None:
            found.append(CatalogEntry(place.name, str(int(folder.name)), path))
    return found


def _version(bundle: Path) -> str:
    try:
        return from_bundle(bundle).version
    except LoadError:  # said when it is to be loaded
        return "1"


class Catalog:
    """Loads and unloads the models of one folder by their names.

    Names are compared with the entries of the folder and never become part of a path.
    """

    def __init__(
        self,
        folder: Path,
        repository: Repository,
        load: Callable[[ModelSource], ServedModel],
        changed: Callable[[], None],
        on_demand: bool = False,
    ) -> None:
        """Store the place of the models; nothing is loaded yet.

        Args:
            on_demand: No model is loaded before a request for its name.
            load: Takes seconds, and is called outside the event loop.
            changed: Called when the set of served models changes.
        """
        self.on_demand = on_demand
        self._folder = folder
        self._repository = repository
        self._load = load
        self._changed = changed
        self._reasons: Dict[Key, str] = {}
        self._places: Dict[str, str] = {}
        self._busy: Optional[asyncio.Lock] = None

    def fill(self) -> None:
        """Load all that lies there; what cannot be loaded is listed with its reason.

        Raises:
            LoadError: when the folder cannot be read.
        """
        if not self.on_demand:
            self._serve(self._prepare(entries_of(self._folder), {}))

    def index(self, ready: bool = False) -> List[Dict[str, str]]:
        """Return a row for each version: name, version, state and reason.

        Args:
            ready: Only those that are served.
        """
        served = {(m.name, m.version) for m in self._repository.all()}
        rows = [_row(key, "READY") for key in served]
        if not ready:
            known = {(entry.name, entry.version) for entry in self._entries()}
            missing = (known | set(self._reasons)) - served
            rows += [_row(k, "UNAVAILABLE", self._reasons.get(k, "unloaded")) for k in missing]
        return sorted(rows, key=lambda row: (row["name"], row["version"].zfill(12)))

    async def load(self, name: str) -> None:
        """Serve the versions of a model that are in the folder now; drop those that are gone.

        Raises:
            HttpError: 404 when it is missing, 400 when no version can be loaded.
        """
        async with self._alone():
            entries = [entry for entry in self._entries() if entry.name == name]
            if not entries:
                raise HttpError(404, "There is no model {!r} in the folder.".format(name[:100]))
            ready = await self._prepare_beside(entries)
            if not ready:
                entry = entries[-1]
                raise HttpError(400, self._reasons[entry.name, entry.version])
            others = [model for model in self._repository.all() if model.name != name]
            self._serve(others + ready)

    async def add(self, name: str, url: str) -> None:
        """Serve the model at a place in the folder, under a name that the caller has chosen.

        Raises:
            HttpError: 409 when the name is taken; 400 when the place is not in the folder or its
                model cannot be loaded. 404 when it is missing, 507 when memory is not sufficient.
        """
        async with self._alone():
            others = self._repository.all()
            if any(model.name == name for model in others):
                raise HttpError(409, "The model {!r} is loaded already.".format(name[:100]))
            entry = self._entry_at(name, url)
            ready = await self._prepare_beside([entry])
            if not ready:
                reason = self._reasons.pop((entry.name, entry.version))
                raise HttpError(507 if _NO_MEMORY.search(reason) else 400, reason)
            self._places[name] = url
            self._serve(others + ready)

    def _entry_at(self, name: str, url: str) -> CatalogEntry:
        place = inside(self._folder, url)
        if place is None:
            raise HttpError(400, "The place of the model is not in the folder of models.")
        path = place if place.is_file() else model_in(place)
        if path is None:
            raise HttpError(404, "There is no model at the given place.")
        size, free = size_of(path), available_bytes()
        if free is not None and size > free:
            sentence = "The model has {} MB, of which {} MB of memory are left."
            raise HttpError(507, sentence.format(size >> 20, free >> 20))
        return CatalogEntry(name, _version(path) if path.is_dir() else "1", path)

    def place_of(self, model: ServedModel) -> str:
        """Return the place of a model, as given in the request to load it."""
        return self._places.get(model.name, str(model.source.path))

    async def refresh(self) -> None:
        """Serve the present models of the folder; those loaded on demand stay as they are."""
        if self.on_demand:
            return
        async with self._alone():
            self._serve(await self._prepare_beside(self._entries()))

    async def unload(self, name: str) -> None:
        """Unload a model; requests that have started end as usual.

        Raises:
            HttpError: 404 when it is neither served nor in the folder.
        """
        async with self._alone():
            served = self._repository.all()
            left = [model for model in served if model.name != name]
            known = any(entry.name == name for entry in self._entries())
            if len(left) == len(served) and not known:
                raise HttpError(404, "There is no model {!r} here.".format(name[:100]))
            self._places.pop(name, None)
            self._serve(left)

    def _alone(self) -> asyncio.Lock:
        if self._busy is None:  # before Python 3.10 a lock belongs to the loop it was made in
            self._busy = asyncio.Lock()
        return self._busy

    def _entries(self) -> List[CatalogEntry]:
        try:
            return entries_of(self._folder)
        except LoadError:  # it is gone: what is loaded is still served
            return []

    async def _prepare_beside(self, entries: List[CatalogEntry]) -> List[ServedModel]:
        served = {(m.name, m.version): m for m in self._repository.all()}
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, lambda: self._prepare(entries, served))

    def _prepare(
        self, entries: List[CatalogEntry], served: Mapping[Key, ServedModel]
    ) -> List[ServedModel]:
        """Load versions; one that is served and has not changed stays as it is."""
        ready: List[ServedModel] = []
        for entry in entries:
            key = (entry.name, entry.version)
            try:
                source = entry.locate()
                kept = served.get(key)
                same = kept is not None and kept.source.digest == source.digest
                ready.append(kept if same and kept is not None else self._load(source))
                self._reasons.pop(key, None)
            except LoadError as error:
                self._reasons[key] = str(error)
            except Exception as error:  # whatever it is, the others are served
                self._reasons[key] = "Loading failed: {!r}.".format(error)
        return ready

    def _serve(self, models: List[ServedModel]) -> None:
        self._repository.replace(models)
        self._changed()


def _row(key: Key, state: str, reason: str = "") -> Dict[str, str]:
    return {"name": key[0], "version": key[1], "state": state, "reason": reason}
