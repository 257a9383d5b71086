"""The pipeline that follows from a project: optimize, profile, deploy on this computer, check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue
from studio.documents.toml_text import key_text, literal
from studio.lazy_dataclass import dataclass
from studio.projects.results import Project

_REQUESTS = 100
_REFERENCE = "${"
_WITHOUT_DATA = "dynamic-int8"


@dataclass(frozen=True, slots=True)
class ProjectModel:
    """The model with which the pipeline begins.

    Attributes:
        name: Its name, which the pipeline gets, too.
        file: Its file; None where that is gone, and the model in the registry is taken.
        variant: Name of its original variant in the registry.
        step: Step that reads the file: ``open`` or ``convert``.
        runs_code: Whether its conversion was allowed to run the code of the file.
    """

    name: str
    file: Path | None
    variant: str
    step: str = "open"
    runs_code: bool = False


def project_pipeline(
    project: Project, model: ProjectModel, target: str, folder: Path | None = None
) -> str:
    """Return the text of the pipeline: int8, a profile of both, one deployment, requests to it.

    Data and lists that have an issue are left out, and with them the steps and gates that need
    them.

    Args:
        target: Where it is deployed: ``local``, or an endpoint of it (``local/digits``).
        folder: Where the pipeline will be; files below it are named from there.

    Raises:
        UsageError: when a path would be read as a reference to a step or variable.
    """
    return _Builder(project, model, target, folder).text()


class _Builder:
    """The text of one pipeline."""

    def __init__(
        self, project: Project, model: ProjectModel, target: str, folder: Path | None
    ) -> None:
        self._project, self._model = project, model
        self._target, self._folder = target, folder
        self._calibration = self._first("calibration", "evaluation", "heldout")
        self._evaluation = self._first("evaluation", "heldout")
        kept = self._first("heldout")
        self._kept = kept if kept != self._evaluation else ""
        self._unseen = self._first("heldout", "evaluation", "calibration")

    def text(self) -> str:
        lines = [
            "# From the model's file to a served endpoint, with what its project knows.",
            "#",
            "#     studio run pipeline.toml",
            "",
            "[pipeline]",
            f"name = {literal(self._model.name)}",
            f"title = {literal(f'{self._model.name}: int8, profiled, deployed')}",
            "",
            "[vars]",
            f"target = {literal(self._target)}",
        ]
        for step in self._steps():
            lines += _table("steps", step)
        lines += ["", "# What must hold before it is deployed, and after."]
        for gate in self._gates():
            lines += _table("gates", gate)
        return "\n".join(lines) + "\n"

    def _steps(self) -> Iterable[Mapping[str, JsonValue]]:
        start = self._path(f"{self._model.name}:{self._model.variant}")
        if self._model.file is not None:
            start = "${open.variant}"
            key = "model" if self._model.step == "open" else "source"
            path = self._path(str(self._model.file))
            consent = {"run_code": True} if self._model.runs_code else {}
            yield {"id": "open", "step": self._model.step, key: path, **consent}
        yield {"id": "int8", "step": "quantize", "model": start, **self._quantization()}
        yield {
            "id": "profile",
            "step": "profile",
            "model": [start, "${int8.variant}"],
            "operators": True,
            **_given(data=self._unseen),
        }
        yield {
            "id": "package",
            "step": "package",
            "model": "${int8.variant}",
            **_given(
                data=self._calibration,
                labels=self._first("labels"),
                preprocess=self._first("preprocess"),
            ),
        }
        to = {"target": "${vars.target}"}
        yield {"id": "deploy", "step": "deploy", "bundle": "${package.bundle}", **to}
        requests = {**_given(data=self._unseen), "requests": _REQUESTS}
        yield {"id": "call", "step": "call", **to, **requests}

    def _quantization(self) -> Mapping[str, JsonValue]:
        if not self._calibration:
            return {"method": _WITHOUT_DATA}
        return _given(
            data=self._calibration,
            eval_data=self._evaluation,
            heldout_data=self._kept,
            dictionary=self._first("dictionary"),
            label_map=self._first("label_map"),
        )

    def _gates(self) -> Iterable[Mapping[str, JsonValue]]:
        if self._evaluation:
            yield {
                "name": "int8 loses at most one point",
                "kind": "metric-drop",
                "of": "int8",
                "max": 0.01,
            }
        yield {"name": "No request failed", "value": "${call.failed}", "max": 0}

    def _first(self, *fields: str) -> str:
        """Return the path of the first of some fields that can be used; empty without one."""
        return self._path(next(iter(self._project.usable(*fields)), ""))

    def _path(self, text: str) -> str:
        if _REFERENCE in text:
            raise UsageError(
                f"{text} cannot be named in a pipeline: {_REFERENCE} begins a reference there.",
                hint="Rename the file or folder.",
            )
        path = Path(text)
        if not text or self._folder is None or not path.is_relative_to(self._folder):
            return text
        return str(path.relative_to(self._folder))


def _given(**options: str) -> dict[str, JsonValue]:
    return {name: value for name, value in options.items() if value}


def _table(kind: str, values: Mapping[str, JsonValue]) -> list[str]:
    return ["", f"[[{kind}]]", *(f"{key_text(k)} = {literal(v)}" for k, v in values.items())]
