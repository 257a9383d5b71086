"""A model loaded by its backend, with observers of its runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from ...backends import bfloat16 as bits
from ...backends.backend_model import Argument, Feeds, LoadSettings, RunOptions
from ...backends.catalog import ONNX_RUNTIME, ServingBackend
from ...backends.failure import first_line
from ...backends.onnx_runtime import BoundArrays, OnnxModel
from ...backends.placement import ModelPlacement
from ...backends.providers import CPU_ALONE, Acceleration
from ...drift.reference import EMBEDDING
from ...generate.any_model import load_any_model
from ...generate.text_model import TextSettings
from ...shared.errors import LoadError
from ...shared.threads import usable_cores
from ..protocol import bfloat16
from ..protocol.tensors import BY_ORT, TensorSpec

if TYPE_CHECKING:
    from ...generate.generator import TextGenerator
    from .observer import Observer

_GOLDEN = 0.6180339887498949


class ModelSession:
    """A loaded model with its inputs and outputs; ``run`` is safe for threads.

    Attributes:
        backend: What loaded it.
        version: Of the backend.
        inputs: By name, in the model's order.
        outputs: By name, in the model's order; those that are not tensors are left out, and the
            embedding, which only the watch sees.
        new_options: Makes options for a run that may have to be ended.
        can_end: Such a run does end; LiteRT's do not.
        threads: Of each operator; 0 means that the backend decides.
        timed: Measure the processor time of each run, which costs a notable share of a tiny one.
        busy_s: Processor time of a recent run, in seconds; infinite where it was not taken.
        free_rows: The first axis of every input and output may have any size.
        watch: Observes the inputs and outputs of every run; None for no observer.
        sampler: Stores some of them, where that is allowed; None where not.
        placement: Where its nodes are computed.
        arena: onnxruntime keeps the memory of its runs (see ``arena``).
        generator: Answers prompts; None for a model that is no language model.
    """

    def __init__(
        self,
        path: Path,
        threads: int,
        arena: bool = True,
        backend: ServingBackend = ONNX_RUNTIME,
        acceleration: Acceleration = CPU_ALONE,
        text: Optional[TextSettings] = None,
    ) -> None:
        streams = max(1, usable_cores() // threads) if threads else 1
        settings = LoadSettings(threads, streams, arena, acceleration)
        model = load_any_model(path, backend, settings, text)
        self.generator: Optional[TextGenerator] = getattr(model, "generator", None)
        self._run = model.run
        self._onnx = model if isinstance(model, OnnxModel) else None
        self._run_bound = self._onnx.run_bound if self._onnx is not None else None
        self.backend = backend
        self.version = model.version
        self.placement = self._onnx.placement if self._onnx is not None else ModelPlacement()
        self.threads = threads
        self.arena = self._onnx is not None and self._onnx.keeps_memory
        self.can_end = model.can_end
        self.timed = False
        self.busy_s = float("inf")
        self.watch: Optional[Observer] = None
        self.sampler: Optional[Observer] = None
        self.new_options = model.new_options
        self.inputs = _specs(model.inputs, strict=True)
        self.outputs = _specs(model.outputs, strict=False)
        hidden = self.outputs.pop(EMBEDDING, None)
        self._embedding = hidden.shape[-1] if hidden is not None and hidden.shape else 0
        specs = [*self.inputs.values(), *self.outputs.values()]
        has_bits = any(spec.kind.bits for spec in specs)
        if has_bits and any(spec.kind.dtype is None for spec in self.inputs.values()):
            raise LoadError(
                "{} takes text beside bfloat16: onnxruntime cannot be given both.".format(path.name)
            )
        ends = [*model.inputs, *model.outputs]
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
        if self._embedding and self.watch is not None:
            outputs = [*outputs, EMBEDDING]
        start = time.thread_time() if self.timed else 0.0
        found = self._run(outputs, feeds, options)
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
        return self._run(outputs, feeds, None)

    @property
    def binds(self) -> bool:
        """Whether it can be run on arrays that stay in their places."""
        return self._run_bound is not None

    def bind(self, feeds: Feeds, results: Feeds) -> BoundArrays:
        """Arrays that ``run_bound`` reads and writes.

        Args:
            feeds: All inputs.
            results: The wanted outputs, of the sizes that they will have.
        """
        if self._embedding > 0 and self.watch is not None:
            rows = next(iter(feeds.values())).shape[0]
            results = {**results, EMBEDDING: np.empty((rows, self._embedding), np.float32)}
        assert self._onnx is not None
        return self._onnx.bind(feeds, results)

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
        if not self.arena or self._onnx is None:
            return
        self.run(feeds, list(self.outputs), self._onnx.shrinking())
        self.run(feeds, list(self.outputs))


def _specs(arguments: Sequence[Argument], strict: bool) -> Dict[str, TensorSpec]:
    specs = {}
    for argument in arguments:
        kind = BY_ORT.get(argument.type)
        reason = "which cannot be sent in a request"
        if kind is not None and kind.bits and not bits.can_run():
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
    except Exception as error:  # the backends' classes have no common base
        if golden:
            raise LoadError("The golden samples do not run: " + first_line(error)) from error
        return WarmUp((), first_line(error))
    sizes = [sum(array.nbytes for array in sample.values()) for sample in samples]
    first = next(iter(samples[0].values()), np.zeros(0))
    rows = first.shape[0] if first.ndim else 1
    return WarmUp(seconds, "", sum(sizes) / len(sizes), rows)
