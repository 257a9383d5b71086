"""The functions of ``import studio``."""

from __future__ import annotations

import os
from pathlib import Path

from studio.api import Kind
from studio.library.endpoint import Endpoint
from studio.library.model import Model, open_model
from studio.library.report import Report
from studio.library.session import Session, close_all, session
from studio.samples.results import SampleResult

File = str | os.PathLike[str]


def open(
    source: Model | File,
    *,
    name: str | None = None,
    run_code: bool = False,
    home: File | None = None,
    progress: bool | None = None,
    **options: object,
) -> Model:
    """Open a model: check it in a sandbox, store it in the registry, return a handle.

    Args:
        source: A model file, or ``NAME``, ``NAME:VARIANT`` or ``#NUMBER`` for a model of the
            registry. A file of another framework (``.pt2``, ``.keras`` ...) is converted to ONNX
            and compared with its original.
        name: Name in the registry; the file name by default.
        run_code: Whether code in a file of another framework may run, in a sandbox.
        home: Folder for everything that the studio stores; that of the command line by default.
        progress: Whether a progress line is shown, from now on in this home. By default it is
            shown in a terminal and in a notebook, and not in a script.
        options: Further options of ``studio convert``, or ``shape``.

    Raises:
        UsageError: when there is neither such a file nor such a model, or an option does not fit.
        InvalidModel: when the file cannot be read as a model.
        UnsafeModel: when it reaches outside its folder or beyond the limits.
        Unavailable: when the converter is not installed (``studio backends install``).
        GateMissed: when the converted model computes other numbers than its original.
    """
    here = session(home)
    if progress is not None:
        here.progress = progress
    return open_model(here, source, name=name, run_code=run_code, **options)


def endpoint(target: str = "local", *, home: File | None = None) -> Endpoint:
    """Return the endpoint of a target on which something was deployed before.

    Args:
        target: Name of a target, or TARGET/NAME for one of several endpoints.
        home: As in ``studio.open``.

    Raises:
        UsageError: when the target does not exist.
    """
    here = session(home)
    here.workspace.registry.target(target)
    return Endpoint(here, target)


def get_sample(name: str, out: File | None = None, *, home: File | None = None) -> Path:
    """Copy a sample with its labelled data into a folder and return its model's file.

    Args:
        name: As in ``studio samples list``, such as ``digits``.
        out: The folder; by default one in the home of the studio.
        home: As in ``studio.open``.

    Raises:
        UsageError: when the sample does not exist, or a file of yours would be overwritten.
    """
    done = session(home).run("samples-get", {"name": name, "out": out})
    assert isinstance(done.result, SampleResult)
    return Path(done.result.model)


def run(
    step: str, *, home: File | None = None, overwrite: bool = False, **options: object
) -> Report[object]:
    """Run any step by its name, such as ``sensitivity``, ``diff`` or ``coverage``.

    Args:
        step: Name as in pipelines.
        home: As in ``studio.open``.
        overwrite: Whether existing files may be overwritten.
        options: Options of the step, with underscores. A model is a ``Model``, a file, a name or
            ``#NUMBER``.

    Raises:
        UsageError: when the step does not exist, or an option does not fit.
    """
    here = session(home)
    opened = {name: _opened(here, step, name, value) for name, value in options.items()}
    done = here.run(step, opened, overwrite=overwrite)
    return Report(step, done.result, done.notes)


def close() -> None:
    """Stop running jobs and close the registries that this process opened.

    The end of the process does the same. What is deployed keeps running.
    """
    close_all()


def _opened(here: Session, step: str, name: str, value: object) -> object:
    """Return the value of an option, with models that are given as files opened."""
    form = here.workspace.steps.get(step)
    kinds = {option.name: option.kind for option in form.form} if form else {}
    if kinds.get(name) is not Kind.MODEL:
        return value
    if isinstance(value, list | tuple):
        return [_opened(here, step, name, one) for one in value]
    if isinstance(value, str | os.PathLike) and Path(value).expanduser().is_file():
        return open_model(here, value)
    return value
