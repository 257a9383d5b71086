"""The folder of a model for browsers, and its run in Chromium.

This file, its parts and numpy; nothing of the studio. ``run`` is called as ``studio.api.chips``
describes for compilers.
"""

from __future__ import annotations

import base64
import glob
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy

# Its parts lie next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_chromium: Any = importlib.import_module("tool_chromium")
_log: Any = importlib.import_module("tool_log")
_server: Any = importlib.import_module("tool_server")

Tell = Callable[..., None]
Json = Mapping[str, Any]

_PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
_OWN = ("check.html", "check.js")
"""Files for the check alone, which the folder lacks."""

_WASM = "ort-wasm-simd-threaded"
_BUILDS: Mapping[str, tuple[str, str]] = {
    "wasm": ("ort.wasm.min.mjs", _WASM),
    "webgpu": ("ort.webgpu.min.mjs", f"{_WASM}.asyncify"),
    "all": ("ort.all.min.mjs", f"{_WASM}.jsep"),
}
_MOST_BYTES = 2_000_000_000
"""A browser gives a page no longer array, and WebAssembly has 4 GB in all."""

_SECONDS = 180.0
"""Time for the samples: a software adapter needs seconds for one of a larger model."""

_LOADING_S, _RUNNING_S = 180.0, 150.0
"""Less than the time after which the studio stops a silent tool."""


class _Refusal(Exception):
    """A model that does not run; the text is a sentence without its dot."""


def run(request: Json, tell: Tell) -> dict[str, object]:
    """Write the folder and load the model, or run samples; what goes wrong is in ``error``."""
    try:
        if request["work"] == "answer":
            _answer(request, tell)
            return {}
        return _compile(request, tell)
    except (_Refusal, _chromium.BrowserError) as error:
        return {"error": f"{error}."}


def _compile(request: Json, tell: Tell) -> dict[str, object]:
    source, settings, output = request["source"], request["settings"], request["output"]
    size = os.path.getsize(source)
    if size > _MOST_BYTES:
        limit = _MOST_BYTES // 1_000_000
        raise _Refusal(
            f"A browser loads models up to {limit} MB, and this one has {size // 1_000_000} MB"
        )
    folder = f"{output}_web"
    _write_folder(folder, source, settings)
    tell(0.0, 0.0, "Loading the model in Chromium")
    with _page(folder, request["folder"]) as page:
        _loaded(page, settings["provider"], verbose=True)
    nodes = [node._asdict() for node in _log.nodes(page.console)]
    return {"artefact": os.path.basename(folder), "samples": "golden", "nodes": nodes}


def _write_folder(folder: str, model: str, settings: Json) -> None:
    """Write all but the samples."""
    script, module = _BUILDS[settings["build"]]
    os.makedirs(os.path.join(folder, "ort"))
    for name in sorted(set(os.listdir(_PAGE)) - set(_OWN)):
        shutil.copyfile(os.path.join(_PAGE, name), os.path.join(folder, name))
    package = os.path.join(sys.prefix, "share", "npm", "onnxruntime-web", "dist")
    for name in (script, f"{module}.mjs", f"{module}.wasm"):
        shutil.copyfile(os.path.join(package, name), os.path.join(folder, "ort", name))
    shutil.copyfile(model, os.path.join(folder, "model.onnx"))
    about = {
        "title": os.path.splitext(os.path.basename(model))[0],
        "runtime": f"onnxruntime-web {settings['version']}",
        "model": "model.onnx",
        "script": f"ort/{script}",
        "providers": list(dict.fromkeys(("wasm", settings["provider"]))),
    }
    with open(os.path.join(folder, "settings.json"), "w", encoding="utf-8") as file:
        json.dump(about, file, indent=1)


def _answer(request: Json, tell: Tell) -> None:
    """Run the samples as long as there is time, one at least."""
    settings, samples = request["settings"], request["samples"]
    paths = sorted(glob.glob(os.path.join(glob.escape(samples), "*.npz")))
    with tempfile.TemporaryDirectory(dir=request["folder"]) as scratch:
        folder = os.path.join(scratch, "web")
        _write_folder(folder, request["source"], settings)
        os.symlink(samples, os.path.join(folder, "samples"))
        tell(0.0, float(len(paths)), "Loading the model in Chromium")
        with _page(folder, scratch) as page:
            _loaded(page, settings["provider"])
            begun = time.monotonic()
            for number, path in enumerate(paths):
                if number and time.monotonic() - begun > _SECONDS:
                    return
                name = os.path.basename(path)
                tell(float(number), float(len(paths)), f"Sample {number + 1} of {len(paths)}")
                found = _called(page, f"check.run('samples/{name}')", _RUNNING_S)
                arrays = {str(at): _array(one) for at, one in enumerate(found["outputs"])}
                numpy.savez(os.path.join(request["answers"], name), **arrays)


@contextmanager
def _page(folder: str, scratch: str) -> Iterator[Any]:
    """Open the page of the check in a browser, with a server of its own."""
    files = {name: os.path.join(_PAGE, name) for name in _OWN}
    for parent, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = os.path.join(parent, name)
            files[os.path.relpath(path, folder)] = path
    profile = os.path.join(scratch, "profile")
    os.makedirs(profile)
    log = os.path.join(scratch, "chromium.log")
    with _server.serving(files) as address, _chromium.page(profile, log) as page:
        page.open(f"{address}check.html")
        yield page
    shutil.rmtree(profile, ignore_errors=True)


def _loaded(page: Any, provider: str, *, verbose: bool = False) -> None:
    until = time.monotonic() + _LOADING_S
    while page.value("typeof window.check", _LOADING_S) != "object":
        if time.monotonic() > until:
            raise _Refusal("onnxruntime-web did not load in time")
        time.sleep(0.1)
    words = f"'{provider}', {'true' if verbose else 'false'}"
    _called(page, f"check.load({words})", _LOADING_S)


def _called(page: Any, expression: str, seconds: float) -> Any:
    """Return the value of a call of the page.

    Raises:
        _Refusal: with the runtime's reason.
    """
    found = page.value(expression, seconds)
    if "error" in found:
        raise _Refusal(_log.reason(found["error"]))
    return found["value"]


def _array(found: Json) -> Any:
    if found["type"] not in _log.TYPES:
        raise _Refusal(f"An output has the type {found['type']}, which is not compared")
    content = base64.b64decode(found["data"])
    return numpy.frombuffer(content, found["type"]).reshape(found["dims"])
