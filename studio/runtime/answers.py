"""What a model gives for many samples on this machine: arrays in a zip in, arrays in a zip out.

A sample is a folder of the zip, an array a file of it (``000007/image.npy``). The request is one
JSON object on standard input: the paths ``runner``, ``model``, ``samples`` and ``outputs``, and
perhaps the ``provider`` that the runner should use.
"""

from __future__ import annotations

import json
import sys
import zipfile
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy

from .bench.child import load_runner
from .bench.stream import LineWriter
from .shared.documents import read_record


class AnswerRequest(NamedTuple):
    """Paths of a request, and the execution provider; empty for the runner's default."""

    runner: str
    model: str
    samples: str
    outputs: str
    provider: str = ""


def main(arguments: Optional[List[str]] = None) -> int:
    """Answer one request; one JSON line has the settings in force, or the error."""
    request = read_record(AnswerRequest, json.loads(sys.stdin.read()))
    writer = LineWriter()
    try:
        writer.write(answer(request))
    except Exception as error:  # a runner raises anything
        writer.write({"error": "{}".format(error) or "no reason given"})
        return 1
    return 0


def answer(request: AnswerRequest) -> Dict[str, object]:
    """Run all samples, one at a time, and write what the model gives for each.

    Raises:
        ValueError: for a sample that lacks an input.
    """
    options = {"provider": request.provider} if request.provider else {}
    session = load_runner(request.runner).load(request.model, options)
    kinds = {each["name"]: each["dtype"] for each in session.inputs()}
    count = 0
    with zipfile.ZipFile(request.outputs, "w") as written:
        for name, arrays in samples(request.samples):
            missing = sorted(set(kinds) - set(arrays))
            if missing:
                raise ValueError("Sample {} has no input {!r}.".format(name, missing[0]))
            fed = {key: _as_type(arrays[key], kind) for key, kind in kinds.items()}
            write(written, name, session.run(fed))
            count += 1
    about = dict(session.describe())
    session.close()
    return {"samples": count, "describe": about}


def samples(path: str) -> Iterator[Tuple[str, Dict[str, numpy.ndarray]]]:
    """Yield the samples of a zip in its order, one in memory at a time."""
    with zipfile.ZipFile(path) as archive:
        folder, arrays = "", {}  # type: Tuple[str, Dict[str, numpy.ndarray]]
        for member in archive.namelist():
            sample, _, name = member.partition("/")
            if sample != folder and arrays:
                yield folder, arrays
                arrays = {}
            folder = sample
            with archive.open(member) as stream:
                read = numpy.lib.format.read_array(stream, allow_pickle=False)
            arrays[name[: -len(".npy")]] = read
        if arrays:
            yield folder, arrays


def write(archive: zipfile.ZipFile, sample: str, arrays: Dict[str, object]) -> None:
    """Write the arrays of a sample; what is no array (a sequence, a map) is left out."""
    for name, value in arrays.items():
        if not isinstance(value, numpy.ndarray):
            continue
        plain = value.astype(str) if value.dtype == object else value  # strings
        member = "{}/{}.npy".format(sample, name)
        with archive.open(member, "w", force_zip64=True) as stream:
            numpy.lib.format.write_array(stream, plain, allow_pickle=False)


def _as_type(array: numpy.ndarray, dtype: str) -> numpy.ndarray:
    """Return the array in the model's own element type (an fp16 variant takes fp16)."""
    return array if dtype == "str" else numpy.ascontiguousarray(array, dtype=dtype)
