"""The projects of a registry's models: settings, files found, and what is recognised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.api import InvalidData, UsageError
from studio.datasets.label_map import LabelMap
from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass
from studio.models.results import ModelFigures
from studio.projects.discovery import Discovery, discover
from studio.projects.licence import licence_file, licence_in
from studio.projects.project_file import FILE, ProjectSettings, Value, read_settings
from studio.projects.results import (
    CLASSIFICATION,
    LISTS,
    PATHS,
    TEXT_RECOGNITION,
    TEXTS,
    YOU,
    Project,
    ProjectIssue,
    ProjectSource,
    flag,
)
from studio.projects.source_files import carried_files
from studio.projects.tasks import LANGUAGE_MODEL, METRICS, Lists, classes_of, recognise
from studio.registry import Registry, VariantRecord, component

if TYPE_CHECKING:
    from studio.projects.draft import PreprocessDraft

FOLDER = "projects"
"""Name of the folder of what the user has set, next to the registry."""

FOUND, RECOGNISED = "the model's folder", "the model"
CONVERTED = "the converted file"
_ROW_AXES = 2
_MOST_LIST_BYTES = 4 * 1024 * 1024


class Projects:
    """The projects of a registry's models."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._folder = registry.folder.parent / FOLDER

    def of(self, variant: VariantRecord, file: Path | None = None) -> Project:
        """Return the project of a variant's model.

        Args:
            file: The file that is meant, where the same original was opened from several; by
                default the one that it was opened from last.

        The settings of the user come first, then ``project.toml``, then files found by name, then
        those of a file that was converted. A file that cannot be read is an issue, never an error:
        the model can be used without it.
        """
        original = self._registry.original(variant)
        if file is None or variant != original:  # a copy of a variant may lie anywhere
            file = _existing(original.source_file)
        elif file.is_dir():  # a model that is a whole folder
            file /= file.name
        carried = carried_files(self._registry, original)
        # What came along with a converted file is kept elsewhere.
        is_lost = file is None and not carried
        issues = _missing_folder(original.source_file) if is_lost else []
        mine = self._read(self._own(variant.model_name), None, issues)
        theirs, discovery = ProjectSettings(), Discovery({}, ())
        if file is not None:
            theirs = self._read(file.parent / FILE, file.parent, issues)
            discovery = discover(file)
        layers = (
            _Layer(YOU, mine),
            _Layer(FILE, theirs),
            _Layer(FOUND, ProjectSettings(paths=discovery.paths)),
            _Layer(CONVERTED, ProjectSettings(paths=carried)),
        )
        project = _merged(variant.model_name, layers)
        if file is not None:
            project = _with_licence(project, file.parent)
        issues += [one for one in discovery.issues if getattr(project, one.what, None) is None]
        return _completed(project, ModelFigures.read(original.summary), issues)

    def set(self, model: str, values: Mapping[str, Value | None]) -> None:
        """Keep values that the user sets for a model; None removes one.

        Raises:
            UsageError: when the file of what was set before cannot be read.
        """
        file = self._own(model)
        read_settings(file, None).changed(values).write(file)

    def draft(self, variant: VariantRecord) -> PreprocessDraft:
        """Return the ``preprocess.toml`` that can be written for a variant's model.

        Raises:
            UsageError, InvalidData: when it cannot be.
        """
        from studio.projects.draft import PreprocessDraft  # with numpy, which the window waits for

        return PreprocessDraft.of(self._registry, variant)

    def _own(self, model: str) -> Path:
        return self._folder / f"{component(model, 'A model')}.toml"

    @staticmethod
    def _read(file: Path, folder: Path | None, issues: list[ProjectIssue]) -> ProjectSettings:
        try:
            return read_settings(file, folder)
        except UsageError as error:
            issues.append(ProjectIssue("found", error.message, error.hint))
            return ProjectSettings()


@dataclass(frozen=True, slots=True)
class _Layer:
    """Settings from one source."""

    where: str
    settings: ProjectSettings


def _missing_folder(file: Path | None) -> list[ProjectIssue]:
    """Return the issue that the data next to a model's file is gone with its folder."""
    if file is None or not file.is_absolute():
        return []
    text = f"The model's folder {file.parent} does not exist."
    return [ProjectIssue("found", text, "Restore the folder, or add the data again.")]


def _existing(file: Path | None) -> Path | None:
    """Return a file whose folder still exists."""
    return file if file is not None and file.is_absolute() and file.parent.is_dir() else None


def _merged(model: str, layers: tuple[_Layer, ...]) -> Project:
    values: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    sources: list[ProjectSource] = []
    for name in (*TEXTS, *PATHS):
        for layer in layers:
            texts: Mapping[str, str | Path] = {**layer.settings.texts, **layer.settings.paths}
            if name in texts:
                values[name] = str(texts[name])
                sources.append(ProjectSource(name, layer.where))
                break
    for name in LISTS:
        for layer in layers:
            if name in layer.settings.lists:
                lists[name] = layer.settings.lists[name]
                sources.append(ProjectSource(name, layer.where))
                break
    project = from_json(Project, {"model": model, **values, **lists})
    return replace(project, found=tuple(sources))


def _with_licence(project: Project, folder: Path) -> Project:
    file = licence_file(folder)
    name = licence_in(file) if file is not None else ""
    if file is None or not name:
        return project
    source = ProjectSource("licence", FOUND, file.name)
    return replace(project, licence=name, found=(*project.found, source))


def _completed(project: Project, figures: ModelFigures, issues: list[ProjectIssue]) -> Project:
    """Return the project with its task and metric, and with what does not fit."""
    lists = Lists(_lines(project.labels), _lines(project.dictionary))
    sources = list(project.found)
    task, metric = project.task, project.metric
    if task is None:
        found = (
            recognise(figures.inputs, figures.outputs, lists)
            if figures.language is None
            else LANGUAGE_MODEL
        )
        if found is not None:
            task = found.task
            sources.insert(0, ProjectSource("task", RECOGNISED, found.why))
    if metric is None and task in METRICS:
        metric = METRICS[task]
        sources.append(ProjectSource("metric", RECOGNISED, f"The usual one for {task}"))
    known = replace(project, task=task, metric=metric, found=tuple(sources))
    return replace(known, issues=(*issues, *_issues(known, figures, lists)))


def _issues(project: Project, figures: ModelFigures, lists: Lists) -> Iterator[ProjectIssue]:
    for name in PATHS:
        path = getattr(project, name)
        if path is not None and not Path(path).exists():
            hint = f"Name the new place: studio project set {project.model} {flag(name)} PATH"
            yield ProjectIssue(name, f"{path} is gone.", hint)
    classes = classes_of(figures.outputs)
    if project.label_map is not None and Path(project.label_map).exists():
        is_row = classes is not None and len(figures.outputs[0].shape or ()) == _ROW_AXES
        yield from _of_label_map(Path(project.label_map), classes if is_row else None)
    if project.task == CLASSIFICATION and classes and lists.labels not in (None, classes):
        text = f"The labels have {lists.labels:,} names, and the model {classes:,} classes."
        yield ProjectIssue("labels", text, "The list belongs to another model, or lacks lines.")
    if project.task == TEXT_RECOGNITION and project.dictionary is None:
        text = "Without the dictionary of the model, its texts cannot be read or compared."
        yield ProjectIssue("dictionary", text, "One character a line, in the order of the classes.")


def _of_label_map(path: Path, classes: int | None) -> Iterator[ProjectIssue]:
    try:
        LabelMap.read(path).check(classes)
    except InvalidData as error:
        yield ProjectIssue("label_map", error.message, error.hint)


def _lines(path: str | None) -> int | None:
    """Return the number of lines of a list; None when it cannot be read or is no list."""
    if path is None or not Path(path).is_file():  # a pipe would never end
        return None
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST_LIST_BYTES + 1)
    except OSError:
        return None
    return len(content.splitlines()) if len(content) <= _MOST_LIST_BYTES else None
