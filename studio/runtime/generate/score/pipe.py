"""A language model in another process, of another environment, behind a pipe.

Requests are lines of JSON on its standard input. An answer is a line of JSON, which the scores
follow as raw float32 where there are some.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO, Dict, List, Sequence

import numpy as np

from ...shared.errors import LoadError
from ..catalog import TEXT_BACKENDS
from ..loader import load_text_model
from ..text_model import BackendFailed, ContextFull, Part, TextModel, TextModelFacts, TextSettings
from .request import ScoredModel

_ERRORS = {"load": LoadError, "context": ContextFull, "backend": BackendFailed}
_PACKAGE = __name__.rpartition(".")[0]
_BOOT = (
    "import sys; sys.path = [p for p in sys.path if p] + [sys.argv[1]]; import importlib; "
    "sys.exit(importlib.import_module(sys.argv[2]).child())"
)


def load_model(model: ScoredModel, settings: TextSettings) -> TextModel:
    """Load a model in this process.

    Raises:
        LoadError: in one sentence.
    """
    try:
        return load_text_model(Path(model.path), TEXT_BACKENDS[model.backend], settings)
    except ModuleNotFoundError as error:
        title = TEXT_BACKENDS[model.backend].title
        raise LoadError("{} is not installed: {}.".format(title, error)) from None


class PipedModel:
    """A language model that another process has loaded."""

    def __init__(self, model: ScoredModel, settings: TextSettings) -> None:
        python = model.python or sys.executable
        # Another environment must see nothing of this one.
        argv = [python, "-I", "-c", _BOOT, _root(), _PACKAGE + ".pipe"]
        try:
            self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise LoadError("{} does not start: {}.".format(python, error.strerror)) from None
        try:
            found = self._ask({"model": model._asdict(), "settings": settings._asdict()})
        except Exception:
            self.close()
            raise
        self._facts = _read_facts(found["facts"])
        self._pieces: Dict[int, bytes] = {}

    @property
    def facts(self) -> TextModelFacts:
        """Its facts."""
        return self._facts

    def encode(self, text: str, special: bool = False) -> List[int]:
        """Return the tokens of a text."""
        return list(self._ask({"do": "encode", "text": text, "special": special})["tokens"])

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token."""
        if token not in self._pieces:
            found = self._ask({"do": "piece", "token": token})["piece"]
            self._pieces[token] = bytes.fromhex(found)
        return self._pieces[token]

    def run(self, parts: Sequence[Part]) -> List[np.ndarray]:
        """Run tokens of several slots together."""
        given = [[one.slot, [int(token) for token in one.tokens], one.scores] for one in parts]
        rows = self._ask({"do": "run", "parts": given})["rows"]
        return [self._read(count) for count in rows]

    def keep(self, slot: int, tokens: int) -> int:
        """Drop what a slot holds after its first tokens."""
        return int(self._ask({"do": "keep", "slot": slot, "tokens": tokens})["held"])

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _ask(self, request: Dict[str, Any]) -> Dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline() or b"null")
        except (OSError, ValueError):
            answer = None
        if answer is None:
            raise BackendFailed("The process of the reference ended early.")
        if "error" in answer:
            raise _ERRORS[answer["error"]](answer["text"])
        return dict(answer)

    def _read(self, rows: int) -> np.ndarray:
        assert self._process.stdout is not None
        size = rows * self._facts.vocabulary
        content = self._process.stdout.read(4 * size)
        if len(content) < 4 * size:
            raise BackendFailed("The process of the reference ended early.")
        return np.frombuffer(content, np.float32).reshape(rows, self._facts.vocabulary)


def child() -> int:
    """Serve one model on standard input and output until the input ends."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints cannot break the stream
    lines = sys.stdin.buffer
    first = json.loads(lines.readline())
    try:
        model = load_model(ScoredModel(**first["model"]), TextSettings(**first["settings"]))
    except LoadError as error:
        _write(output, {"error": "load", "text": str(error)})
        return 1
    _write(output, {"facts": dict(model.facts._asdict(), ends=sorted(model.facts.ends))})
    for line in lines:
        _serve(model, json.loads(line), output)
    return 0


def _serve(model: TextModel, request: Dict[str, Any], output: BinaryIO) -> None:
    try:
        do, scores = request["do"], []  # type: str, List[np.ndarray]
        answer: Dict[str, object] = {}
        if do == "encode":
            answer["tokens"] = model.encode(request["text"], request["special"])
        elif do == "piece":
            answer["piece"] = model.piece(request["token"]).hex()
        elif do == "keep":
            answer["held"] = model.keep(request["slot"], request["tokens"])
        else:
            scores = model.run([Part(*one) for one in request["parts"]])
            answer["rows"] = [len(one) for one in scores]
    except ContextFull:
        answer = {"error": "context", "text": ""}
    except BackendFailed as error:
        answer = {"error": "backend", "text": str(error)}
    _write(output, answer, scores)


def _write(output: BinaryIO, answer: Dict[str, object], scores: Sequence[np.ndarray] = ()) -> None:
    output.write(json.dumps(answer).encode() + b"\n")
    for one in scores:
        output.write(np.ascontiguousarray(one, np.float32).tobytes())
    output.flush()


def _read_facts(values: Dict[str, Any]) -> TextModelFacts:
    values = dict(values, begin=tuple(values["begin"]), ends=frozenset(values["ends"]))
    return TextModelFacts(**values)


def _root() -> str:
    """Return the folder or zip file that holds the outermost package of this one."""
    path = os.path.abspath(__file__)
    for _ in range(_PACKAGE.count(".") + 2):
        path = os.path.dirname(path)
    return path
