"""The set of models that are served, by their names and versions."""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping

from ..http.message import HttpError
from .served_model import ServedModel


class Repository:
    """The served models by name and version; replaced as a whole by one assignment.

    Attributes:
        replaced: Called when others are served than before.
    """

    def __init__(self) -> None:
        self._models: Mapping[str, Mapping[str, ServedModel]] = {}
        self._newest: Mapping[str, ServedModel] = {}
        self.replaced: Callable[[], None] = lambda: None

    def replace(self, models: List[ServedModel]) -> None:
        """Serve exactly these from now on."""
        names: Dict[str, Dict[str, ServedModel]] = {}
        for model in models:
            names.setdefault(model.name, {})[model.version] = model
        self._models = names
        self._newest = {
            name: versions[max(versions, key=_number)] for name, versions in names.items()
        }
        self.replaced()

    def find(self, name: str, version: str = "") -> ServedModel:
        """Return the named version, or the newest.

        Raises:
            HttpError: 404, in one sentence.
        """
        newest = self._newest.get(name)
        if newest is None:
            raise HttpError(404, "There is no model {!r} here.".format(name))
        if not version:
            return newest
        versions = self._models[name]
        if version not in versions:
            sentence = "There is no version {!r} of the model {!r}.".format(version, name)
            raise HttpError(404, sentence)
        return versions[version]

    def versions(self, name: str) -> List[str]:
        """Return the versions of a model, oldest first."""
        return sorted(self._models.get(name, ()), key=_number)

    def all(self) -> List[ServedModel]:
        """Every served version."""
        return [model for versions in self._models.values() for model in versions.values()]


def _number(version: str) -> int:
    return int(version) if version.isdigit() else 0
