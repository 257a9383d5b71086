"""The app of a bundle: its description, files and further models."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from studio.datasets import Preprocess
from studio.datasets.output_settings import read_outputs
from studio.documents.dataclass_json import JsonValue, to_json
from studio.features.apps.files import AppFiles, ModelParts
from studio.lazy_dataclass import dataclass
from studio.packages.tensors import write_parts
from studio.registry import file_digest

FOLDER = "app"
_MODELS = "app/models"


@dataclass(frozen=True, slots=True)
class AppContent:
    """An app that travels with a model.

    Attributes:
        served: Name of the app's model that is the packaged one; empty for none.
        requirements: Distributions that a target needs for it.
        own_code: Files with Python code of the app.
    """

    files: AppFiles
    models: Mapping[str, ModelParts]
    served: str
    requirements: Mapping[str, str]
    own_code: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that a step of the app gives to the served model."""
        steps = [one.settings for one in self.files.document.steps]
        names = [one.get("features", ()) for one in steps if one.get("model") == self.served]
        return tuple(str(name) for name in next(filter(None, names), ()))

    @classmethod
    def open(cls, path: Path, digest: str) -> AppContent:
        """Read an app, and find which of its models is the packaged one.

        It has the same content. Where none has, it is the first one, whose place a quantized
        variant takes.

        Raises:
            InvalidData: when the app cannot be used.
        """
        files = AppFiles.open(path)
        graph, models = files.graph({}), files.models()
        same = [name for name, one in models.items() if file_digest(one.model) == digest]
        served = (*same, *models, "")[0]
        own = tuple(dict.fromkeys(graph.own_code.values()))
        return cls(files, models, served, graph.requirements, own)

    @property
    def served_parts(self) -> ModelParts | None:
        """Files of the model that is the packaged one."""
        return self.models.get(self.served)

    def write(self, folder: Path) -> dict[str, JsonValue]:
        """Write the files of the app into a bundle's folder; return the keys of the manifest.

        Raises:
            InvalidData: for a file that is missing or lies outside the app.
        """
        place = folder / FOLDER
        place.mkdir()
        document = self.files.document
        shutil.copyfile(self.files.folder / "app.toml", place / "app.toml")
        for name in dict.fromkeys((*document.files, *self.own_code)):
            source = self.files.path(name, "files")
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place / name)
        models = [self._written(one, folder) for one in self.models.values()]
        return {"app": to_json(document.to_json()), "app_models": models}

    def _written(self, parts: ModelParts, folder: Path) -> JsonValue:
        if parts.name == self.served:
            return {"name": parts.name}
        place = folder / _MODELS / parts.name
        place.mkdir(parents=True)
        file = f"model{parts.model.suffix.lower()}"
        if parts.model.suffix != ".onnx" or not write_parts(parts.model, place, file):
            shutil.copyfile(parts.model, place / file)
        entry: dict[str, JsonValue] = {"name": parts.name, "file": f"{place_name(parts)}/{file}"}
        if parts.preprocess is not None:
            entry["preprocess"] = Preprocess.from_toml(parts.preprocess).to_json()
        if parts.outputs is not None:
            entry["outputs"] = to_json(read_outputs(parts.outputs)._asdict())
        for key, path in (("labels", parts.labels), ("dictionary", parts.dictionary)):
            if path is not None:
                shutil.copyfile(path, place / f"{key}.txt")
                entry[key] = f"{place_name(parts)}/{key}.txt"
        return entry


def place_name(parts: ModelParts) -> str:
    """Return the folder of a model within the bundle."""
    return f"{_MODELS}/{parts.name}"
