"""A model loaded by onnxruntime, with telemetry off."""

from __future__ import annotations

import os
import re
from textwrap import shorten

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # too late once onnxruntime is imported

import time
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Callable,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Tuple,
)

import numpy as np

from ...drift.reference import EMBEDDING
from ...shared.errors import LoadError
from ..protocol import bfloat16
from ..protocol.tensors import BY_ORT, TensorSpec
from .run_options import RunOptions

if TYPE_CHECKING:
    from .observer import Observer

_CODES = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")

_GOLDEN = 0.6180339887498949

Feeds = Mapping[str, np.ndarray]


class NodeArgument(Protocol):
    """An input or output of a session."""

    name: str
    type: str
    shape: Optional[Sequence[object]]


class BoundArrays(NamedTuple):
    """Arrays in their places, as onnxruntime knows them.

    Attributes:
        kept: What must live as long.
    """

    native: object
    binding: object
    kept: Tuple[Feeds, Feeds]


class ModelSession:
    """An onnxruntime session with its inputs and outputs; ``run`` is safe for threads.

    Attributes:
        inputs: By name, in the model's order.
        outputs: By name, in the model's order; those that are not tensors are left out, and the
            embedding, which only the watch sees.
        new_options: Makes options for a run that may have to be ended.
        threads: Of each operator; 0 means that onnxruntime decides.
        timed: Measure the processor time of each run, which costs a notable share of a tiny one.
        busy_s: Processor time of a recent run, in seconds; infinite where it was not taken.
        free_rows: The first axis of every input and output may have any size.
        watch: Observes the inputs and outputs of every run; None for no observer.
        sampler: Stores some of them, where that is allowed; None where not.
        arena: onnxruntime keeps the memory of its runs (see ``arena``).
    """

    def __init__(self, path: Path, threads: int, arena: bool = True) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.enable_cpu_mem_arena = self.arena = arena
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin between requests take the processor from everything else on a board.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own classes have no common base
            raise LoadError(
                "onnxruntime {} cannot load {}: {}".format(
                    ort.__version__, path.name, first_line(error)
                )
            ) from error
        # What its own run does beforehand (it checks names, which requests have passed already)
        # takes a twentieth of a small model.
        native = getattr(self._session, "_sess", None)
        self._run: Callable[..., List[np.ndarray]] = getattr(native, "run", self._session.run)
        self._run_bound: Optional[Callable[[object, object], object]] = getattr(
            native, "run_with_iobinding", None
        )
        self.threads = threads
        self.timed = False
        self.busy_s = float("inf")
        self.watch: Optional[Observer] = None
        self.sampler: Optional[Observer] = None
        self.new_options = ort.RunOptions
        self.inputs = _specs(self._session.get_inputs(), strict=True)
        self.outputs = _specs(self._session.get_outputs(), strict=False)
        hidden = self.outputs.pop(EMBEDDING, None)
        self._embedding = hidden.shape[-1] if hidden is not None and hidden.shape else 0
        self._types = {argument.name: argument.type for argument in self._session.get_inputs()}
        specs = [*self.inputs.values(), *self.outputs.values()]
        self._has_bits = any(spec.kind.bits for spec in specs)
        if self._has_bits and any(spec.kind.dtype is None for spec in self.inputs.values()):
            raise LoadError(
                "{} takes text beside bfloat16: onnxruntime cannot be given both.".format(path.name)
            )
        ends = self._session.get_inputs() + self._session.get_outputs()
        self.free_rows = all(end.shape and not isinstance(end.shape[0], int) for end in ends)
        if not self.outputs:
            raise LoadError("{} has no output that is a tensor.".format(path.name))

    def run(
        self, feeds: Feeds, outputs: Sequence[str], options: Optional[RunOptions] = None
    ) -> List[np.ndarray]:
        """Run once; the arrays of the named outputs.

        Args:
            options: Of ``new_options``; once its ``terminate`` is set, the run ends after the
                node that is under way, and raises.
        """
        if self._has_bits:
            return bfloat16.run(self._session, outputs, feeds, self._types, options)
        if self._embedding and self.watch is not None:
            outputs = [*outputs, EMBEDDING]
        start = time.thread_time() if self.timed else 0.0
        found: List[np.ndarray] = self._run(outputs, feeds, options)
        if self.timed:
            self.busy_s = time.thread_time() - start
        if self.watch is not None:
            self.watch.observe(feeds, dict(zip(outputs, found)))
            if self._embedding:
                found.pop()
        if self.sampler is not None:
            self.sampler.observe(feeds, dict(zip(outputs, found)))
        return found

    def quietly(self, feeds: Feeds, outputs: Sequence[str]) -> List[np.ndarray]:
        """Run once, without observers."""
        if self._has_bits:
            return bfloat16.run(self._session, outputs, feeds, self._types, None)
        found: List[np.ndarray] = self._run(outputs, feeds, None)
        return found

    @property
    def binds(self) -> bool:
        """Whether it can be run on arrays that stay in their places."""
        return self._run_bound is not None and not self._has_bits

    def bind(self, feeds: Feeds, results: Feeds) -> BoundArrays:
        """Arrays that ``run_bound`` reads and writes.

        Args:
            feeds: All inputs.
            results: The wanted outputs, of the sizes that they will have.
        """
        import onnxruntime as ort

        if self._embedding > 0 and self.watch is not None:
            rows = next(iter(feeds.values())).shape[0]
            results = {**results, EMBEDDING: np.empty((rows, self._embedding), np.float32)}
        binding = self._session.io_binding()
        value_of = ort.OrtValue.ortvalue_from_numpy
        for name, array in feeds.items():
            binding.bind_ortvalue_input(name, value_of(array))
        for name, array in results.items():
            binding.bind_ortvalue_output(name, value_of(array))
        return BoundArrays(getattr(binding, "_iobinding", None), binding, (feeds, results))

    def run_bound(self, bound: BoundArrays, options: Optional[RunOptions]) -> None:
        """Run once on bound arrays; raises where an output has another size than its array.

        It costs less than ``run``, which makes an object of each array and memory for the outputs.
        """
        start = time.thread_time() if self.timed else 0.0
        assert self._run_bound is not None
        self._run_bound(bound.native, options)
        if self.timed:
            self.busy_s = time.thread_time() - start
        if self.watch is not None:
            self.watch.observe(*bound.kept)
        if self.sampler is not None:
            self.sampler.observe(*bound.kept)

    def shrink(self, feeds: Feeds) -> None:
        """Give back the memory of larger runs than this, which is run once more."""
        if not self.arena:
            return
        import onnxruntime as ort

        options = ort.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self.run(feeds, list(self.outputs), options)
        self.run(feeds, list(self.outputs))


def _specs(arguments: Sequence[NodeArgument], strict: bool) -> Dict[str, TensorSpec]:
    specs = {}
    for argument in arguments:
        kind = BY_ORT.get(argument.type)
        reason = "which cannot be sent in a request"
        if kind is not None and kind.bits and not bfloat16.can_run():
            kind = None
            reason = "which an older onnxruntime cannot be given"
        if kind is None:
            if strict:
                raise LoadError(
                    "The input {} is a {}, {}.".format(argument.name, argument.type, reason)
                )
            continue
        shape = tuple(d if isinstance(d, int) and d >= 0 else -1 for d in argument.shape or ())
        specs[argument.name] = TensorSpec(argument.name, kind, shape)
    return specs


def first_line(error: BaseException) -> str:
    """Return the first line of a native message, without codes and short enough to quote."""
    lines = _CODES.sub("", str(error)).strip().splitlines()
    line = shorten(lines[0], 600, placeholder=" ...") if lines else type(error).__name__
    return line.rstrip(".") + "."


def invented_feeds(inputs: Mapping[str, TensorSpec]) -> Dict[str, np.ndarray]:
    """Inputs of the right types and shapes, for a model without golden samples."""
    feeds = {}
    for spec in inputs.values():
        shape = tuple(1 if size < 0 else size for size in spec.shape)
        if spec.kind.dtype is None:
            feeds[spec.name] = np.full(shape, "", dtype=object)
        elif spec.kind.dtype.kind == "f":
            feeds[spec.name] = _spread(shape).astype(spec.kind.dtype)
        else:
            feeds[spec.name] = np.zeros(shape, spec.kind.dtype)
    return feeds


def _spread(shape: Tuple[int, ...]) -> np.ndarray:
    """Values between 0 and 1, each another: multiples of the golden ratio.

    numpy.random would do as well, and takes two megabytes of a server that never needs it again.
    """
    count = int(np.prod(shape, dtype=np.int64))
    return np.reshape(np.arange(1, count + 1) * _GOLDEN % 1.0, shape)


def golden_feeds(folder: Optional[Path], inputs: Mapping[str, TensorSpec]) -> List[Feeds]:
    """Return the inputs of a bundle's first golden samples."""
    if folder is None:
        return []
    samples: List[Feeds] = []
    inputs_alone = folder / "inputs"  # older bundles have the answers in the same files
    folder = inputs_alone if inputs_alone.is_dir() else folder
    for path in sorted(folder.glob("*.npz"))[:3]:
        with np.load(str(path), allow_pickle=False) as arrays:
            sample = {name: arrays["in." + name] for name in inputs if "in." + name in arrays}
        samples.append({name: _as_fed(array, inputs[name]) for name, array in sample.items()})
    return samples


def _as_fed(array: np.ndarray, spec: TensorSpec) -> np.ndarray:
    if spec.kind.dtype is None:
        return array.astype(object)
    if spec.kind.bits and array.dtype.kind == "f":
        return bfloat16.narrowed(array)
    return array


class WarmUp(NamedTuple):
    """The first runs of a model.

    Attributes:
        seconds: Of each run that was measured; none when it could not be run.
        warning: Why it could not.
        size, rows: Bytes and rows of the inputs of each in the mean.
    """

    seconds: Sequence[float]
    warning: str = ""
    size: float = 0.0
    rows: int = 1

    @property
    def median(self) -> Optional[float]:
        """Seconds of a run."""
        return sorted(self.seconds)[len(self.seconds) // 2] if self.seconds else None


def warm_up(session: ModelSession, golden: Sequence[Feeds], limit_s: float = 0.5) -> WarmUp:
    """Run the model until its memory is allocated, and measure it.

    Args:
        limit_s: For more runs than the fewest that tell something.

    Raises:
        LoadError: when golden samples, which must work, do not.
    """
    samples = list(golden) or [invented_feeds(session.inputs)]
    outputs = list(session.outputs)
    seconds: List[float] = []
    end = time.perf_counter() + limit_s
    try:
        for sample in samples:
            session.run(sample, outputs)
        while len(seconds) < 3 or (len(seconds) < 20 and time.perf_counter() < end):
            start = time.perf_counter()
            session.run(samples[len(seconds) % len(samples)], outputs)
            seconds.append(time.perf_counter() - start)
            if seconds[-1] > 2.0:
                break
    except Exception as error:  # onnxruntime's own classes have no common base
        if golden:
            raise LoadError("The golden samples do not run: " + first_line(error)) from error
        return WarmUp((), first_line(error))
    sizes = [sum(array.nbytes for array in sample.values()) for sample in samples]
    first = next(iter(samples[0].values()), np.zeros(0))
    rows = first.shape[0] if first.ndim else 1
    return WarmUp(seconds, "", sum(sizes) / len(sizes), rows)
