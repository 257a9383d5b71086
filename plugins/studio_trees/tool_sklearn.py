"""The conversion of pickled models of scikit-learn to ONNX, in the environment of its libraries.

A pickle runs code as it is read, so the studio starts this file only with the user's consent and
inside a sandbox. It needs its parts, numpy, joblib, onnx, pandas, scikit-learn and skl2onnx alone;
nothing of the studio. ``run`` is called as ``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import contextlib
import glob
import importlib
import logging
import lzma
import os
import pickle
import re
import sys
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import joblib
import numpy
import onnx
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

Tell = Callable[..., None]
Json = Mapping[str, Any]

# A converter's parts lie next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_parts: Any = importlib.import_module("tool_sklearn_models")
_samples: Any = importlib.import_module("tool_sklearn_samples")
PickleFault: type[Exception] = _parts.PickleFault

_SAMPLES = "samples.npz"
"""The file of made-up samples, in the folder that the tool is started in."""

_MISSING = re.compile(r"Can't get attribute '([\w.]+)' on <module '([\w.]+)'")
_NO_FORM = re.compile(r"(?:shape calculator|converter) for (?:type|alias) '?(?:<class ')?([\w.]+)")
_CUT = (EOFError, pickle.UnpicklingError, zlib.error, lzma.LZMAError)
_LONGEST = 300
_WHERE = "convert it by skl2onnx where that code is"


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file, or run it on samples; what goes wrong is in ``error``."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        return _done(request, tell)
    except PickleFault as error:
        return {"error": str(error)}


def _done(request: Json, tell: Tell) -> dict[str, Any]:
    name = os.path.basename(request["source"])
    tell(0.0, 0.0, "Loading the model")
    found, notes = _load(request["source"], name)
    model = _parts.Model(_checked(found, name))
    if request["work"] == "answer":
        with _explained(f"{name} does not run on the samples"):
            _answer(model, request, tell)
        return {}
    if request["inputs"]:
        raise PickleFault("The inputs of a scikit-learn model are its features, as fitted.")
    tell(0.0, 0.0, "Exporting to ONNX")
    with _explained(f"{name} cannot be exported"):
        made = model.export()
        onnx.helper.set_model_props(made, model.metadata())
        onnx.save(made, request["output"])
        _save(_SAMPLES, _samples.made_up(model))
    return {"warnings": notes, "samples": True}


def _load(path: str, name: str) -> tuple[Any, list[str]]:
    """Return what the pickle holds, and a sentence when another version wrote it."""
    with warnings.catch_warnings(record=True) as caught, _explained(f"{name} cannot be loaded"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", InconsistentVersionWarning)
        found = joblib.load(path)
    for one in caught:
        if isinstance(one.message, InconsistentVersionWarning):
            theirs, ours = (
                one.message.original_sklearn_version,
                one.message.current_sklearn_version,
            )
            return found, [
                f"{name} was saved by scikit-learn {theirs} and read by {ours}: "
                "both the original and the ONNX model may give other numbers than it did there."
            ]
    return found, []


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn an exception of a library into one sentence; its whole text goes to the log."""
    try:
        yield
    except (PickleFault, MemoryError):
        raise
    except Exception as error:
        traceback.print_exc()
        raise PickleFault(f"{what}: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    if isinstance(error, _CUT):
        return "it is cut off or damaged"
    if isinstance(error, ModuleNotFoundError):
        return f"the code of the module {error.name} is not in the file; {_WHERE}"
    if found := _MISSING.search(str(error)):
        place = "" if found[2] == "__main__" else f" of the module {found[2]}"
        return f"the code of {found[1]}{place} is not in the file; {_WHERE}"
    if found := _NO_FORM.search(str(error)):
        return f"ONNX has no form of its step {found[1].rpartition('.')[2]}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0] if lines else "no reason given"
    return first.partition(" You may raise")[0][:_LONGEST].rstrip(".: ")


def _checked(found: Any, name: str) -> Any:
    """Return an estimator that is fitted and has something to compute."""
    kind = f"{type(found).__module__}.{type(found).__qualname__}".removeprefix("builtins.")
    if isinstance(found, type) or not isinstance(found, BaseEstimator):
        raise PickleFault(
            f"{name} holds an object of the type {kind}, which is no estimator of scikit-learn. "
            "Save the estimator or the pipeline alone."
        )
    try:
        check_is_fitted(found)
    except NotFittedError:
        raise PickleFault(f"{name} holds a {kind} that is not fitted.") from None
    if not hasattr(found, "predict") and not hasattr(found, "transform"):
        raise PickleFault(f"{name} holds a {kind}, which has no method predict or transform.")
    return found


def _save(path: str, arrays: Mapping[str, Any]) -> None:
    """Write arrays under names of columns, of which ``numpy.savez`` takes some for its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                numpy.lib.format.write_array(member, array, allow_pickle=False)


def _answer(model: Any, request: Json, tell: Tell) -> None:
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            outputs = model.outputs({name: arrays[name] for name in arrays.files})
        made = {str(at): one for at, one in enumerate(outputs)}
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **made)
