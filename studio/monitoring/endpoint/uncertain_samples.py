"""Uncertain requests stored on a target: fetched over its channel, and deleted there.

No server returns them: a caller of the model must not see the requests of other callers.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import astuple, fields
from pathlib import Path
from urllib.parse import quote

import numpy

from studio.api import Array, Channel, StudioError, TargetError, UsageError
from studio.documents.dataclass_json import from_json
from studio.documents.plain import spreadsheet_cell
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.results import FetchedRequests
from studio.runtime.serve.outputs.detections import listed_boxes
from studio.runtime.serve.outputs.uncertainty import BOXES as _BOXES
from studio.runtime.serve.outputs.uncertainty import CLASSES as _CLASSES
from studio.runtime.shared.sampling_config import FOLDER, MOST

LISTED = "answers.csv"
_FACTS = "facts"
LEAST_SCORE = 0.3
"""Smallest score of a listed box: the default of the detectors' metrics."""
_NAME = re.compile(r"\d{6}-\d{5}-[0-9a-f]{16}\.npz")
_LIST = 'cd "$1/run/$2" 2>/dev/null && ls -1 || true'
_DELETE = 'cd "$1/run/$2" 2>/dev/null && rm -f -- *.npz || true'
_LARGEST = 256 << 20


@dataclass(frozen=True, slots=True)
class _Facts:
    """Facts of a stored request."""

    id: str
    kind: str | None = None
    doubt: float | None = None
    at: object = None
    version: object = None


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of ``answers.csv``."""

    file: str
    id: str
    answer: str
    doubt: float | None
    at: object
    version: object


def fetch_samples(channel: Channel, root: str, folder: Path) -> FetchedRequests:
    """Copy the uncertain requests of a target into a folder: a dataset without labels yet.

    Each file is named by the request's id, and has one array per input. ``answers.csv`` lists the
    answers, boxes in the form of labels. With a ``labels.csv`` (``file,label``) the folder is a
    dataset for any step; ``studio monitor --labels`` reads the same file.

    Raises:
        UsageError: when the folder contains other files.
        TargetError: when the target cannot be read.
    """
    names = sorted(name for name in _listed(channel, root) if _NAME.fullmatch(name))[-MOST:]
    if folder.exists() and (not folder.is_dir() or _foreign(folder)):
        raise UsageError(f"{folder} is not empty.", hint="Choose a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[_Row] = []
    damaged = 0
    aside = folder / ".sample.part"
    for name in names:
        try:
            channel.get(f"{root}/run/{FOLDER}/{name}", aside)
            rows.append(_written(aside, folder))
        except (OSError, ValueError, KeyError):
            damaged += 1
        except TargetError:
            if name in _listed(channel, root):
                raise
            # The server has replaced it by a less certain request since the listing.
        finally:
            aside.unlink(missing_ok=True)
    _list(folder, rows)
    return FetchedRequests(str(folder), len(rows), damaged)


def forget_samples(channel: Channel, root: str) -> int:
    """Delete the stored requests of a target; return their number.

    Raises:
        TargetError: when they are still there.
    """
    before = len(_listed(channel, root))
    channel.run(["sh", "-c", _DELETE, "sh", root, FOLDER], timeout=60)
    left = [name for name in _listed(channel, root) if _NAME.fullmatch(name)]
    # A running server may have stored new ones, but not as many as before.
    if left and len(left) >= before:
        raise TargetError("The samples on the target cannot be deleted.")
    return before


def _listed(channel: Channel, root: str) -> list[str]:
    return channel.run(["sh", "-c", _LIST, "sh", root, FOLDER], timeout=60).text.splitlines()


def _foreign(folder: Path) -> bool:
    return any(path.suffix not in (".npz", ".csv") for path in folder.iterdir())


def _written(source: Path, folder: Path) -> _Row:
    """Write the inputs of a request, and return its row of the list."""
    if source.stat().st_size > _LARGEST:
        raise ValueError("too large")
    with numpy.load(source, allow_pickle=False) as content:
        facts = from_json(_Facts, json.loads(content[_FACTS].tobytes()))
        inputs = {key[3:]: content[key] for key in content.files if key.startswith("in.")}
        outputs = {key[4:]: content[key] for key in content.files if key.startswith("out.")}
    if not inputs:
        raise ValueError("no sample")
    name = quote(facts.id, safe="")[:200] + ".npz"
    numpy.savez(folder / name, **inputs)
    answer = _answer(outputs, facts.kind or "")
    return _Row(name, facts.id, answer, facts.doubt, facts.at, facts.version)


def _answer(outputs: Mapping[str, Array], kind: str) -> str:
    """Return the answered class, or the boxes in the form of a label; else an empty text.

    Other answers, such as texts, maps and raw tables, have no short readable form.
    """
    if kind == _BOXES:
        return _boxes(outputs)
    if kind not in ("", _CLASSES):
        return ""
    for array in outputs.values():
        if array.dtype.kind == "f" and array.ndim == 2 and array.shape[-1] > 1:
            return str(int(array[0].argmax()))
    return ""


def _boxes(outputs: Mapping[str, Array]) -> str:
    """Return boxes in the form of a detector's labels, in the units of the model."""
    found = listed_boxes(outputs)
    if found is None:
        return ""
    rows = [row for row in found.tolist() if row[4] >= LEAST_SCORE]
    return "; ".join(f"{int(row[5])} " + " ".join(f"{x:.6g}" for x in row[:4]) for row in rows)


def _list(folder: Path, rows: list[_Row]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(_Row)])
    for row in sorted(rows, key=lambda row: -(row.doubt or 0.0)):
        writer.writerow(map(spreadsheet_cell, astuple(row)))
    try:
        (folder / LISTED).write_text(text.getvalue(), "utf-8")
    except OSError as error:
        raise StudioError(f"{folder / LISTED} cannot be written: {error.strerror}.") from None
