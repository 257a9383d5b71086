"""What is fuzzed: one entry point, where its inputs begin, and how they are changed."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzzing.mutation import Mutate, change_bytes

CORPUS = Path(__file__).parent / "corpus"

MODULES = {
    "models": ("onnx", "tflite", "openvino"),
    "archives": ("project", "bundle", "bundle-manifest", "wheel"),
    "serving": ("http", "rpc", "picture"),
    "texts": ("toml", "pipeline", "preset", "alerts", "preprocess", "manifest"),
    "data": ("npz", "npy", "image", "signature", "signers"),
}
"""Of ``tests.fuzzing.targets``: the targets whose makers are in its table ``TARGETS``. They stand
here, too, so that a process imports no more than what its target needs."""

REAL_MODELS = "real-models"
"""The target that needs a folder of models, and is left out where nothing says where it is."""


@dataclass(frozen=True)
class Target:
    """One entry point.

    Attributes:
        seeds: Inputs that are right, to begin with.
        run: Does with an input what the product does, in a folder that is empty at the start.
        accepted: What the entry point raises on purpose.
        mutate: Changes an input; the random numbers decide how.
        programs: It may start programs.
        largest: Bytes of the largest input that is tried.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    run: Callable[[bytes, Path], None]
    accepted: tuple[type[BaseException], ...]
    mutate: Mutate = change_bytes
    programs: bool = False
    largest: int = 1 << 18

    def start(self) -> list[bytes]:
        """The seeds, and what the corpus of the repository has for this target."""
        kept = sorted((CORPUS / self.name).glob("*"))
        return [*self.seeds(), *(path.read_bytes() for path in kept)]


def names() -> list[str]:
    """Of all targets that need nothing beside the repository."""
    return [name for targets in MODULES.values() for name in targets]


def target(name: str) -> Target:
    """The target of a name; only its own module's imports are made."""
    for module, targets in MODULES.items():
        if name in targets:
            made: Target = makers(module)[name]()
            return made
    if name == REAL_MODELS:
        from tests.fuzzing.targets.real import real_models

        return real_models()
    raise KeyError(name)


def mutant(chosen: Target, data: bytes, rng: random.Random) -> bytes:
    """An input that differs from another in one to four places, and is not too large."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = chosen.mutate(data, rng)
    return data[: chosen.largest]


def makers(module: str) -> Mapping[str, Callable[[], Target]]:
    """The table of a module."""
    found: Mapping[str, Callable[[], Target]] = importlib.import_module(
        f"tests.fuzzing.targets.{module}"
    ).TARGETS
    return found
