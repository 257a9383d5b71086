"""The app of the sample ``traffic`` on composed streets: its events against what is true."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import numpy
from PIL import Image

from studio.features.apps.context import DeskContext
from studio.features.apps.files import AppFiles
from studio.runtime.apps.event_match import match_events
from studio.runtime.apps.items import FrameStamp
from studio.runtime.apps.mailbox import ReadFrame
from studio.runtime.apps.runner import GraphRunner
from studio.samples.street.pictures import StreetCamera
from studio.samples.street.scene import Street
from studio.samples.street.truth import events_of
from studio.settings import resource

Row = dict[str, Any]

COMPARED = ("direction", "label")
WITHIN_S = 1.0
_QUALITY = 80


def app_folder() -> Path:
    """Return the folder of the app, without a film."""
    return resource("samples", "traffic")


def watched(scene: Street) -> list[Row]:
    """Return the events that the app finds with its detector, in JPEG as from a camera."""
    files = AppFiles.open(app_folder())
    runner = GraphRunner(files.graph({}), DeskContext(files, 1))
    camera = StreetCamera(scene)
    return played(scene, runner, lambda time: _encoded(camera.picture(time)))


def played(scene: Street, runner: GraphRunner, picture: Any) -> list[Row]:
    """Return the events of a run over the frames of a street that are not missing."""
    rows: list[Row] = []
    stamp = FrameStamp("camera", 0, 0.0, 0.0, 0.0)
    for number, time in scene.frames():
        stamp = FrameStamp("camera", number, time, time, 0.0)
        (result,) = runner.run([ReadFrame(stamp, picture(time))])
        assert not result.failed, result.failed
        rows += [event.to_json() for event in result.all_events]
    return rows + [event.to_json() for event in runner.finish({"camera": stamp})]


def true_rows(scene: Street) -> list[Row]:
    """Return what is true as the file of expected events has it."""
    return [one.to_json() for one in events_of(scene)]


def crossings(rows: list[Row]) -> Counter[tuple[str, str, str]]:
    """Return how often each line was crossed, by direction and class."""
    return Counter(
        (row["step"], row["direction"], row["label"]) for row in rows if row["kind"] == "crossing"
    )


def f1_of(scene: Street, rows: list[Row]) -> float:
    """Return the F1 score of all events of the test."""
    true = true_rows(scene)
    kinds = {row["kind"] for row in true}
    found = [row for row in rows if row["kind"] in kinds]
    return match_events(true, found, WITHIN_S, COMPARED).f1


def speed_errors(scene: Street, rows: list[Row]) -> list[float]:
    """Return the relative error of each speed that belongs to a true one."""
    true = [row for row in true_rows(scene) if row["kind"] == "speed"]
    found = [row for row in rows if row["kind"] == "speed"]
    pairs = match_events(true, found, WITHIN_S, COMPARED).pairs
    return [abs(found[second]["m_s"] / true[first]["m_s"] - 1) for first, second in pairs]


def median_error(errors: list[float]) -> float:
    """Return the median; infinite without any."""
    return median(errors) if errors else float("inf")


def _encoded(pixels: Any) -> Any:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY)
    return numpy.asarray(Image.open(file))
