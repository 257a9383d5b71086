"""A new app: a folder with an ``app.toml`` to complete."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from studio.api import UsageError
from studio.features.apps import FILE
from studio.features.apps.results import AppCreated
from studio.features.apps.step import AppNewOptions
from studio.jobs import Job
from studio.registry import Registry

_MADE = "app"
_SETTINGS = ("preprocess.toml", "outputs.toml", "labels.txt", "dictionary.txt")
_TEMPLATE = """\
# An app: sources give frames, steps turn them into events, sinks take the events.
# docs/apps.md lists all types and their settings.

name = "{name}"
title = "{name}"

[variables]
CAMERA = "0" # the first camera of the board; set another one on each board

[models.detector]
file = "detector/{model}" # with preprocess.toml, outputs.toml and labels.txt next to it

[sources.camera]
type = "camera"
device = "${{CAMERA}}"

[steps.objects]
type = "detect"
input = "camera"
model = "detector"
threshold = 0.4

[steps.tracks]
type = "track"
input = "objects"

[steps.gate]
type = "line"
input = "tracks"
start = [320, 480] # the ends of the line in pixels: draw it on the App page
end = [320, 0]

[steps.minutes]
type = "count"
input = "gate"
by = ["direction", "label"]
every_s = 60.0

[sinks.log]
type = "file"
input = ["gate", "minutes"]
path = "events.jsonl"
"""


def create(options: AppNewOptions, job: Job) -> AppCreated:
    """Write the files of a new app below the job's folder.

    Raises:
        UsageError: when the name of the folder cannot be that of an app.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", options.out.name).strip("-")[:40]
    if not name or not name[0].isalpha():
        raise UsageError(f"{options.out.name} cannot be the name of an app: begin with a letter.")
    folder = job.folder / _MADE
    models = folder / "detector"
    models.mkdir(parents=True)
    model = "model.onnx" if options.model is None else options.model.name
    (folder / FILE).write_text(_TEMPLATE.format(name=name, model=model), encoding="utf-8")
    if options.model is not None:
        beside = (options.model.with_name(one) for one in _SETTINGS)
        for path in (options.model, *filter(Path.is_file, beside)):
            shutil.copyfile(path, models / path.name)
    files = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    return AppCreated(name, str(options.out), tuple(files))


def created(
    registry: Registry, options: AppNewOptions, result: AppCreated, folder: Path
) -> AppCreated:
    """Move the folder to where the user wants it; its files take the place of older ones."""
    shutil.copytree(folder / _MADE, options.out, dirs_exist_ok=True)
    return result
