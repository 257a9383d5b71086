"""Checked arguments for a worker, made from what the user gave."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from studio.api import Kind, Option, TargetSpec, UsageError, validate
from studio.datasets.suffixes import PREPROCESS
from studio.documents.dataclass_json import to_json
from studio.jobs import AnyStep
from studio.lazy_dataclass import dataclass
from studio.models.source_formats import SeveralModels, is_model_folder, models_in
from studio.packages.app_slot import is_app
from studio.packages.app_slot import model_files as models_of_app
from studio.packages.bundle import is_bundle
from studio.registry import ModelRef, Registry
from studio.registry.groups import expand
from studio.registry.targets import LOCAL
from studio.settings import full_path
from studio.steps.format_support import is_language
from studio.targets.connect import scheme_of

_HINT = "Check the path, or choose another one."
_VERSION = re.compile(r"[^/:@]+(:\d+|@[^/:@]+)")
_PATHS = (Kind.FILE, Kind.FOLDER, Kind.DATA, Kind.OUTPUT)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The resolved options of a step, as a worker gets them.

    Attributes:
        reads: Files and folders that the worker must be able to read.
        subject: What the step is about, for the job's title (a model's or a target's name).
        targets: Those that the options name, with the members of groups.
        formats: Of the models.
        language: Whether one of the models writes text.
    """

    arguments: dict[str, Any]
    reads: tuple[Path, ...]
    subject: str
    targets: tuple[TargetSpec, ...] = ()
    formats: frozenset[str] = frozenset()
    language: bool = False

    @property
    def target(self) -> str:
        """Name of the target of the option ``target``: this computer without one."""
        target = self.arguments.get("target")
        return str(target["name"]) if target else LOCAL.name

    @property
    def schemes(self) -> frozenset[str]:
        """Schemes of the targets' addresses."""
        return frozenset(scheme_of(one) for one in self.targets)

    @property
    def remote(self) -> bool:
        """Whether a target is another machine."""
        return bool(self.schemes - {"local"})


def resolve(step: AnyStep, given: Mapping[str, Any], registry: Registry) -> Resolved:
    """Check the options of a step and look up what they name.

    Raises:
        UsageError: in one sentence, for an unknown option, a value that does not fit, a file
            that is not there, or a model or target that is not known.
    """
    checked = validate(step.form, bundle_apart(step, given, registry))
    arguments, reads, subjects, models, targets = {}, [], [], list[ModelRef](), list[TargetSpec]()
    for option in step.form:
        value = checked[option.name]
        if value is not None:
            if option.kind is Kind.TARGET and option.many:
                value = expand(value, registry.groups, registry.labels)
            value = _each(option, value, partial(_one, option, registry=registry))
            values = value if option.many else [value]
            reads += _reads(option, values)
            subjects += _subjects(option, values)
            models += [one for one in values if isinstance(one, ModelRef)]
            targets += [one for one in values if isinstance(one, TargetSpec)]
        arguments[option.name] = to_json(value)
    subject = ", ".join(dict.fromkeys(subjects))
    formats = frozenset(one.format for one in models)
    language = any(is_language(registry.variant(one.variant)) for one in models)
    return Resolved(arguments, tuple(reads), subject, tuple(targets), formats, language)


def model_files(
    step: AnyStep, given: Mapping[str, Any], registry: Registry
) -> list[tuple[str, Path]]:
    """Return the MODEL options that name a file that has yet to be opened, as (option, file).

    A folder of a language model is one, too, and one of another framework, whose opening fails
    with the conversion.
    A registered model of that name, such as the one that it was converted to, comes before it.
    """
    found = []
    for option in step.form:
        value = given.get(option.name)
        if option.kind is Kind.MODEL and value is not None:
            for text in [value] if isinstance(value, str) else value:
                path = Path(text).expanduser()
                is_source = path.is_dir() and is_model_folder(path)
                if path.is_file() or (is_source and not _is_registered(text, registry)):
                    found.append((option.name, full_path(path)))
    return found


def _is_registered(text: str, registry: Registry) -> bool:
    try:
        registry.find(text)
    except UsageError:
        return False
    return True


def folders_apart(
    step: AnyStep,
    given: Mapping[str, object],
    suffixes: Callable[[], tuple[str, ...]],
    registry: Registry,
) -> Mapping[str, object]:
    """Replace folders, given as models, by the one model file in each, as a drop does.

    Raises:
        SeveralModels: when one has several, which are named.
    """
    changed = dict(given)
    for option in step.form:
        is_file = option.kind is Kind.FILE and option.name == "model"  # no registered name
        value = given.get(option.name)
        if is_file or option.kind is Kind.MODEL:
            in_folder = partial(
                model_in_folder, suffixes=suffixes, registry=None if is_file else registry
            )
            if isinstance(value, str):
                changed[option.name] = in_folder(value)
            elif isinstance(value, list | tuple):
                changed[option.name] = [
                    in_folder(text) if isinstance(text, str) else text for text in value
                ]
    return changed


def model_in_folder(
    text: str, suffixes: Callable[[], tuple[str, ...]], registry: Registry | None = None
) -> str:
    """Return the one model file in a folder, or the text itself for all else.

    Registered models, bundles, apps and folders that are a model come before.

    Raises:
        SeveralModels: when it has several, which are named.
    """
    if not (folder := full_path(text)).is_dir():
        return text
    if registry is not None and _is_registered(text, registry):
        return text
    if is_bundle(folder) or is_app(folder) or is_model_folder(folder):
        return text
    models = models_in(folder, suffixes())
    if len(models) > 1:
        raise SeveralModels(text, models)
    return str(models[0]) if models else text


def app_apart(step: AnyStep, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Move an app's folder, given as the model, to the option for apps of a step with one.

    Its first model takes the place.

    Raises:
        InvalidData: when the app cannot be used.
        UsageError: when it has no model.
    """
    text = given.get("model")
    takes_apps = any(option.name == "app" for option in step.form)
    if not takes_apps or not isinstance(text, str) or not is_app(Path(text).expanduser()):
        return given
    models = models_of_app(Path(text).expanduser())
    if not models:
        raise UsageError(f"The app {text} has no model.", hint="Add one: [models] in app.toml.")
    return {**given, "model": str(models[0]), "app": text}


def bundle_apart(step: AnyStep, given: Mapping[str, Any], registry: Registry) -> Mapping[str, Any]:
    """Move a bundle, given as the model, to the option for bundles of a step with one.

    It is a folder, or a version: ``digits:3`` or ``digits@production``. A file of that name and a
    variant of the model come first.

    Raises:
        UsageError: when there is no such version, or its bundle was removed.
    """
    text = given.get("model")
    takes_bundles = any(option.name == "bundle" for option in step.form)
    if not takes_bundles or not isinstance(text, str):
        return given
    if Path(text).expanduser().is_dir():
        return {**given, "model": None, "bundle": text}
    if not _VERSION.fullmatch(text) or Path(text).is_file() or _is_registered(text, registry):
        return given
    return {**given, "model": None, "bundle": str(_folder_of(text, registry))}


def _folder_of(version: str, registry: Registry) -> Path:
    from studio.versions.versions import find_version

    named = find_version(registry, version)
    registry.fetch(named.version.path)
    if not named.version.path.is_dir():
        raise UsageError(
            f"The bundle of {named.name} was removed.",
            hint=f"Package it again: studio package {named.model}",
        )
    return named.version.path


def _each(option: Option, value: Any, convert: Callable[[Any], Any]) -> Any:
    return [convert(item) for item in value] if option.many else convert(value)


def _one(option: Option, value: Any, registry: Registry) -> Any:
    if option.kind is Kind.MODEL:
        found = registry.find(value)
        registry.fetch(found.path)
        return ModelRef.of(found)
    if option.kind is Kind.TARGET:
        return registry.target(value)
    if option.kind in _PATHS:
        registry.fetch(full_path(value))
        return _path(option, value)
    return value


def _path(option: Option, value: str) -> str:
    path = full_path(value)
    is_readable = path.is_file() or (option.folders and path.is_dir())
    if option.kind is Kind.FILE and not is_readable:
        raise UsageError(f"{option.label}: {value} {_problem(path, value)}.", hint=_HINT)
    if option.kind is Kind.FOLDER and not path.is_dir():
        raise UsageError(f"{option.label}: {value} is not a folder.", hint=_HINT)
    if option.kind is Kind.DATA and not path.exists():
        raise UsageError(f"{option.label}: {value} does not exist.", hint=_HINT)
    if option.kind is Kind.OUTPUT and not path.parent.is_dir():
        raise UsageError(f"{option.label}: the folder {path.parent} does not exist.")
    return str(path)


def _problem(path: Path, typed: str) -> str:
    if path.is_dir():
        return "is a folder, not a file"
    # A pipe as /dev/stdin is there as it was typed alone.
    is_there = path.exists() or os.path.exists(typed)
    return "is not a regular file" if is_there else "does not exist"


def _reads(option: Option, values: Sequence[object]) -> list[Path]:
    paths = [Path(one.path) for one in values if isinstance(one, ModelRef)]
    if option.kind in (Kind.FILE, Kind.FOLDER, Kind.DATA):
        paths += [Path(str(one)) for one in values]
    if option.kind is Kind.DATA or option.name == "outputs":
        paths += [one for path in list(paths) for one in beside(path, option)]
    return paths


def beside(path: Path, option: Option) -> list[Path]:
    """Return the files next to data, or to an ``outputs.toml``, that belong to it.

    A folder may hold its own instead.
    """
    if path.is_dir():
        found = [] if (path / PREPROCESS).is_file() else [path.with_name(PREPROCESS)]
    else:
        labels = ["labels.txt"] if option.name == "outputs" else []
        found = [path.with_name(name) for name in (PREPROCESS, "dictionary.txt", *labels)]
    return [one for one in found if one.is_file()]


def _subjects(option: Option, values: Sequence[object]) -> list[str]:
    models = [f"{one.model_name} {one.name}" for one in values if isinstance(one, ModelRef)]
    targets = [one for one in values if isinstance(one, TargetSpec) and one.name != "local"]
    if option.kind is Kind.FILE and option.positional:
        return [Path(str(one)).name for one in values]
    return models + [f"on {one.name}" for one in targets]
