"""Models in TFLite files, run by LiteRT with XNNPACK."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ..shared.errors import LoadError
from .backend_model import (
    Argument,
    Feeds,
    InvalidArgument,
    LoadSettings,
    Pool,
    RunOptions,
    contiguous,
    open_sizes,
    type_name,
)
from .catalog import LITERT
from .failure import first_line


class UnendedRun:
    """Options of a run that LiteRT does not end early."""

    terminate = False


class LiteRtModel:
    """A TFLite model with an interpreter for each run at the same time.

    An interpreter keeps inputs, outputs and everything between in one block of memory, so two
    threads cannot share it. The weights are mapped from the file and shared.
    """

    can_end = False
    new_options = UnendedRun

    def __init__(self, path: Path, settings: LoadSettings) -> None:
        import ai_edge_litert
        from ai_edge_litert.interpreter import Interpreter

        self.version = str(ai_edge_litert.__version__)
        threads = settings.threads or None

        def make() -> Interpreter:
            return Interpreter(model_path=str(path), num_threads=threads)

        try:
            first = make()
            first.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise LoadError(
                "{} {} cannot load {}: {}".format(
                    LITERT.title, self.version, path.name, first_line(error)
                )
            ) from error
        self._pool = Pool(lambda: Interpretation(make()), Interpretation(first))
        self.inputs = [_argument(each) for each in first.get_input_details()]
        self.outputs = [_argument(each) for each in first.get_output_details()]

    def run(
        self, outputs: Sequence[str], feeds: Feeds, options: Optional[RunOptions] = None
    ) -> List[np.ndarray]:
        """Run once; an interpreter whose run failed is not used again."""
        one = self._pool.take()
        found = one.run(outputs, feeds)
        self._pool.give(one)
        return found


class Interpretation:
    """An interpreter with the sizes that its memory is allocated for."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        inputs = interpreter.get_input_details()
        self._shapes = {str(each["name"]): _argument(each).shape for each in inputs}
        self._places = {str(each["name"]): int(each["index"]) for each in inputs}
        self._outputs = {
            str(each["name"]): int(each["index"]) for each in interpreter.get_output_details()
        }
        self._sizes: Dict[str, Tuple[int, ...]] = {}

    def run(self, outputs: Sequence[str], feeds: Feeds) -> List[np.ndarray]:
        """Run once; the arrays of the named outputs are copies."""
        sizes = {name: array.shape for name, array in feeds.items()}
        if sizes != self._sizes:
            self._resize(sizes)
        interpreter = self._interpreter
        for name, array in feeds.items():
            interpreter.set_tensor(self._places[name], contiguous(array))
        interpreter.invoke()
        return [interpreter.get_tensor(self._outputs[name]) for name in outputs]

    def _resize(self, sizes: Mapping[str, Tuple[int, ...]]) -> None:
        for name, shape in sizes.items():
            wanted = self._shapes[name]
            # LiteRT itself runs some models with sizes that do not fit their weights.
            if wanted and not _fits(shape, wanted):
                raise InvalidArgument("The input {} has the shape {}.".format(name, shape))
            self._interpreter.resize_tensor_input(self._places[name], shape)
        try:
            self._interpreter.allocate_tensors()
        except RuntimeError as error:
            raise InvalidArgument(first_line(error)) from error
        self._sizes = dict(sizes)


def _fits(shape: Tuple[int, ...], wanted: Sequence[object]) -> bool:
    return len(shape) == len(wanted) and all(
        own in (None, given) for own, given in zip(wanted, shape)
    )


def _argument(details: Mapping[str, Any]) -> Argument:
    signature = details.get("shape_signature")
    shape = details["shape"] if signature is None or not len(signature) else signature
    dtype = np.dtype(details["dtype"])
    name = "str" if dtype.kind in "SUO" else dtype.name
    return Argument(str(details["name"]), type_name(name), open_sizes(shape))
