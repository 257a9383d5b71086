"""Models in ONNX files, run by onnxruntime with telemetry off."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..shared.errors import LoadError
from . import bfloat16
from .backend_model import Argument, Feeds, LoadSettings, Run, RunOptions
from .failure import first_line
from .placement import ModelPlacement


class BoundArrays(NamedTuple):
    """Arrays in their places, as onnxruntime knows them.

    Attributes:
        kept: What must live as long.
    """

    native: object
    binding: object
    kept: Tuple[Feeds, Feeds]


class OnnxModel:
    """An ONNX model in a session of onnxruntime.

    Attributes:
        keeps_memory: Memory of its runs is kept for the next ones.
        placement: Where its nodes are computed.
        run_bound: Runs on bound arrays, with options or None; None where it cannot.
    """

    can_end = True

    def __init__(self, path: Path, settings: LoadSettings) -> None:
        import onnxruntime as ort

        self.version = str(ort.__version__)
        self.keeps_memory = settings.arena
        self.placement = ModelPlacement()
        try:
            self._session = self._open(path, settings)
        except LoadError:
            raise
        except Exception as error:  # onnxruntime's own classes have no common base
            raise LoadError(
                "onnxruntime {} cannot load {}: {}".format(
                    self.version, path.name, first_line(error)
                )
            ) from error
        self.new_options = ort.RunOptions
        self.inputs = [Argument(x.name, x.type, x.shape) for x in self._session.get_inputs()]
        self.outputs = [Argument(x.name, x.type, x.shape) for x in self._session.get_outputs()]
        self._types = {each.name: each.type for each in self.inputs}
        # What its own run does beforehand (it checks names, which requests have passed already)
        # takes a twentieth of a small model.
        native = getattr(self._session, "_sess", None)
        self.run: Run = getattr(native, "run", self._session.run)
        self.run_bound: Optional[Callable[[object, object], object]]
        self.run_bound = getattr(native, "run_with_iobinding", None)
        if any(each.type == bfloat16.ORT_NAME for each in (*self.inputs, *self.outputs)):
            self.run, self.run_bound = self._run_bits, None

    def _open(self, path: Path, settings: LoadSettings) -> Any:
        import onnxruntime as ort

        if settings.acceleration.providers:
            from .accelerated_session import open_session

            found = open_session(path, lambda: _session_options(settings), settings.acceleration)
            if found is not None:
                self.placement = found.placement
                return found.session
        return ort.InferenceSession(
            str(path), _session_options(settings), providers=["CPUExecutionProvider"]
        )

    def _run_bits(
        self, outputs: Sequence[str], feeds: Feeds, options: Optional[RunOptions] = None
    ) -> List[np.ndarray]:
        return bfloat16.run(self._session, outputs, feeds, self._types, options)

    def bind(self, feeds: Feeds, results: Feeds) -> BoundArrays:
        """Return arrays that ``run_bound`` reads and writes."""
        import onnxruntime as ort

        binding = self._session.io_binding()
        value_of = ort.OrtValue.ortvalue_from_numpy
        for name, array in feeds.items():
            binding.bind_ortvalue_input(name, value_of(array))
        for name, array in results.items():
            binding.bind_ortvalue_output(name, value_of(array))
        return BoundArrays(getattr(binding, "_iobinding", None), binding, (feeds, results))

    def shrinking(self) -> RunOptions:
        """Return the options of a run that gives memory back that it did not need."""
        options = self.new_options()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        made: RunOptions = options
        return made


def _session_options(settings: LoadSettings) -> object:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.enable_cpu_mem_arena = settings.arena
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what it would log of a failure is in the exception, too
    # Threads that spin between requests take the processor from everything else on a board.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
