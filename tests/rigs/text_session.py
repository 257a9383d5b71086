"""A program that plays a list of calls to a language model, in the environment of its backend.

It takes a request as a JSON file: ``model``, ``settings`` and ``calls``. It prints their results
as JSON. Scores of runs go to ``scores``, a file of numpy, one array for each part of each run.
A refused model gives ``{"refused": sentence}``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from studio.runtime.generate.catalog import text_backend_of
from studio.runtime.generate.loader import load_text_model
from studio.runtime.generate.text_model import ContextFull, Part, TextModel, TextSettings
from studio.runtime.shared.errors import LoadError


class PlayedModel:
    """A model and the scores of its runs so far."""

    def __init__(self, model: TextModel) -> None:
        self.model = model
        self.scores: list[np.ndarray] = []

    def run(self, *parts: tuple[int, list[int], int]) -> str:
        """Run parts; the result is empty, or ``full``."""
        try:
            found = self.model.run([Part(*one) for one in parts])
        except ContextFull:
            return "full"
        self.scores += [one.copy() for one in found]
        return ""

    def answer(self, slot: int, tokens: list[int], count: int) -> list[int]:
        """Return greedy tokens after some."""
        found: list[int] = []
        for _ in range(count):
            scores = self.model.run([Part(slot, tokens)])[0]
            tokens = [int(scores[-1].argmax())]
            found += tokens
        return found

    def encode(self, text: str, special: bool) -> list[int]:
        """Return the tokens of a text."""
        return self.model.encode(text, special)

    def keep(self, slot: int, tokens: int) -> int:
        """Return how many tokens a slot still holds."""
        return self.model.keep(slot, tokens)

    def pieces(self, tokens: list[int]) -> list[str]:
        """Return the bytes of tokens, as hexadecimal numbers."""
        return [self.model.piece(one).hex() for one in tokens]

    def facts(self) -> Mapping[str, Any]:
        """Return the facts of the model."""
        found = self.model.facts._asdict()
        return {**found, "ends": sorted(found["ends"])}


def main(path: Path) -> None:
    """Play the calls of a request."""
    request = json.loads(path.read_text())
    model = Path(request["model"])
    try:
        loaded = load_text_model(model, text_backend_of(model), TextSettings(**request["settings"]))
    except LoadError as error:
        print(json.dumps({"refused": str(error)}))
        return
    played = PlayedModel(loaded)
    results = []
    for name, *arguments in request["calls"]:
        call: Callable[..., object] = getattr(played, name)
        results.append(call(*arguments))
    with Path(request["scores"]).open("wb") as file:
        np.savez(file, *played.scores)
    print(json.dumps(results))
    loaded.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
