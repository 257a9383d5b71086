"""Hand labels of vtest.avi, and the app that counts its pedestrians.

The film is one of Debian's opencv-doc: 795 frames, 10 a second, 768 x 576. One viewer labelled it
by a picture of the column under the line at all times, in which each crossing is one person, and
by the frames around each for the direction. Times are those of the middle of the body.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.packages.bundle import Bundle
from tests.rigs.apps import app_bundle

LEFTWARDS = (
    11, 45, 52, 138, 156, 189, 226, 251, 259, 422, 454, 508, 604, 634, 672, 676, 723, 743,
)  # fmt: skip
RIGHTWARDS = (110, 117, 124, 174, 189, 361, 377, 384, 472, 495, 610, 718, 730, 735, 777)
FRAMES = 795
LABELS: Mapping[str, Any] = {
    "line": {"from": [560, 450], "to": [560, 140]},
    "zone": [[430, 140], [700, 140], [740, 450], [430, 330]],
    "crossings": sorted(
        [{"frame": at, "direction": "b_to_a"} for at in LEFTWARDS]
        + [{"frame": at, "direction": "a_to_b"} for at in RIGHTWARDS],
        key=lambda one: one["frame"],
    ),
    "counts": [],
}

PREPROCESS = """\
color = "BGR"
resize = "stretch"
height = 416
width = 416
scale = 1.0
mean = [103.53, 116.28, 123.675]
std = [57.375, 57.12, 58.395]
"""
OUTPUTS = """\
task = "detection"
head = "gfl"
threshold = {low}
overlap = 0.5
offset = 0.5
"""
_APP = """\
name = "film"
[variables]
FILM = "film.avi"
[models.detector]
file = "detector/model.onnx"
[sources.film]
type = "video"
path = "${{FILM}}"
fps = {fps}
[steps.find]
type = "detect"
input = "film"
model = "detector"
classes = ["person"]
[steps.track]
type = "track"
input = "find"
threshold = {track[threshold]}
low = {track[low]}
keep_s = {track[keep_s]}
[steps.line]
type = "line"
input = "track"
start = {line[start]}
end = {line[end]}
names = ["{line[names][0]}", "{line[names][1]}"]
[steps.zone]
type = "zone"
input = "track"
area = {area}
"""


def bundle_of(folder: Path, model: Path, request: Mapping[str, Any]) -> Bundle:
    """Package the app of a request with a detector, as a deployment does."""
    detector = folder / "film" / "detector"
    detector.mkdir(parents=True)
    shutil.copy(model, detector / "model.onnx")
    (detector / "preprocess.toml").write_text(PREPROCESS)
    (detector / "outputs.toml").write_text(OUTPUTS.format(low=request["track"]["low"]))
    names = ["person", *(f"class {number}" for number in range(1, 80))]
    (detector / "labels.txt").write_text("\n".join(names) + "\n")
    (folder / "film" / "app.toml").write_text(_APP.format(**request))
    return app_bundle(folder, folder / "film")
