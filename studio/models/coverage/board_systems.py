"""Kind of board in the catalogue: its systems and their problems with a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.api import Model, UsageError
from studio.lazy_dataclass import dataclass
from studio.models.coverage.check import check
from studio.models.coverage.releases import Release, release_of
from studio.models.results import Problem
from studio.settings.boards import OLDEST_PYTHON, Board, Image, board


@dataclass(frozen=True, slots=True)
class System:
    """System of a board, and whether a model runs there.

    Attributes:
        release: What is sent to it; None where nothing is.
        problems: Reasons why the model does not run.
    """

    name: str
    release: Release | None
    problems: Sequence[Problem]


def systems(model: Model, name: str, need_mb: float, asked: Release | None) -> list[System]:
    """Return all systems of a board, a new board's first.

    Args:
        need_mb: What model and activations take.
        asked: Another release than the newest one that the system has a wheel for.

    Raises:
        UsageError: when there is no such board.
    """
    kind = kind_of(name)
    return [_system(model, kind, image, need_mb, asked) for image in kind.images]


def kind_of(name: str) -> Board:
    """Return the board of a name.

    Raises:
        UsageError: when the name is unknown.
    """
    try:
        return board(name)
    except KeyError as error:
        raise UsageError(
            f"Unknown board type {name!r}.", hint=f"Valid types: {error.args[0]}."
        ) from None


def notes(kind: Board, need_mb: float) -> Iterator[str]:
    """Yield notes besides the problems."""
    smaller = [size for size in sorted(kind.memory_mb) if need_mb > size]
    if smaller and need_mb <= max(kind.memory_mb):
        sizes = " and ".join(f"{size:,}" for size in smaller)
        yield f"The model is too large for the board with {sizes} MB."
    if kind.accelerators:
        yield f"Checked is ONNX Runtime on its processor, not {', '.join(kind.accelerators)}."
    yield from kind.notes


def _system(
    model: Model, kind: Board, image: Image, need_mb: float, asked: Release | None
) -> System:
    release = asked or (release_of(image.onnxruntime) if image.onnxruntime else None)
    problems = list(_unserved(image, asked))
    if release is not None:
        # The largest memory size counts; ``notes`` names the smaller ones.
        problems += check(model, release, max(kind.memory_mb), need_mb)
    return System(image.name, release, problems)


def _unserved(image: Image, asked: Release | None) -> Iterator[Problem]:
    """Yield why the studio's runtime does not start there."""
    if image.serves:
        return
    oldest = ".".join(map(str, OLDEST_PYTHON))
    if image.onnxruntime or asked:
        text = f"{image.name} has Python {image.python}; the studio's runtime needs {oldest}."
        yield Problem("system", text, "Install a newer python3 on the board.")
    else:
        text = f"ONNX Runtime has no wheel for {image.name} (Python {image.python}, "
        text += f"glibc {image.glibc})."
        yield Problem("system", text, "Use a container, or build ONNX Runtime for the board.")
