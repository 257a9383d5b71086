"""ONNX Runtime as a backend: models loaded and run in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from studio.api import (
    Array,
    Feeds,
    InvalidData,
    InvalidModel,
    Kind,
    Option,
    StudioError,
    Unavailable,
    validate,
)

if TYPE_CHECKING:
    from onnx import GraphProto

_QUIET = 3  # severity: errors only


class OnnxRuntime:
    """Backend for ONNX Runtime."""

    id = "onnxruntime"
    title = "ONNX Runtime"
    runner = Path(__file__).with_name("runner.py")
    options: Sequence[Option] = (
        Option(
            "threads",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=1024,
            help="Threads within an operator; 0 leaves it to the runtime (one for each core).",
        ),
        Option(
            "provider",
            default="CPUExecutionProvider",
            title="Execution provider",
            help="The provider asked for first; what it cannot run stays on the CPU.",
        ),
        Option(
            "provider_options",
            title="Options of the provider",
            help="As onnxruntime names them: device_id:0;enable_cuda_graph:1",
        ),
        Option(
            "optimization",
            Kind.CHOICE,
            default="all",
            choices=("all", "extended", "basic", "none"),
            help="How far the runtime rewrites the graph when it loads it.",
        ),
    )

    def version(self) -> str:
        try:
            import onnxruntime
        except ImportError as error:
            raise Unavailable(
                "ONNX Runtime is not installed.",
                hint="Install Edgewright again: its package onnxruntime is missing.",
                detail=str(error),
            ) from None
        return str(onnxruntime.__version__)

    def load(self, path: Path, options: Mapping[str, Any]) -> LoadedModel:
        """Load a model.

        Raises:
            Unavailable: when the execution provider is not part of the installed runtime.
            InvalidModel: when the runtime refuses the model.
        """
        import onnxruntime

        values = validate(self.options, options)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = values["threads"]
        settings.log_severity_level = _QUIET
        # Threads that spin while they wait double the processor's time, and take it from others.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = onnxruntime.InferenceSession(
                str(path), sess_options=settings, providers=_providers(values["provider"])
            )
        except StudioError:
            raise
        except Exception as error:  # the runtime's errors share no other base class
            raise InvalidModel(
                f"ONNX Runtime {onnxruntime.__version__} cannot load {path.name}: "
                f"{first_sentence(error)}",
                detail=str(error),
            ) from None
        return LoadedModel(session, path)


class LoadedModel:
    """A model that ONNX Runtime has loaded; its outputs are those that are tensors."""

    def __init__(self, session: Any, path: Path) -> None:
        self._session = session
        self._path = path
        self.input_names = tuple(value.name for value in session.get_inputs())
        outputs = (one for one in session.get_outputs() if one.type.startswith("tensor("))
        self.output_names = tuple(one.name for one in outputs)

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        """Run once.

        Raises:
            InvalidData: when the runtime refuses the arrays or fails on them.
            InvalidModel: when no output is a tensor.
        """
        names = list(outputs) if outputs is not None else list(self.output_names)
        if self._session is None:
            raise StudioError(f"{self._path.name} was closed.")
        if not self.output_names:
            import onnx

            check_outputs(onnx.load(str(self._path), load_external_data=False).graph, self._path)
        try:
            arrays = self._session.run(names, dict(feeds))
        except Exception as error:  # the runtime's errors share no other base class
            raise InvalidData(
                f"ONNX Runtime cannot run {self._path.name} on this sample: "
                f"{first_sentence(error)}",
                detail=str(error),
            ) from None
        return dict(zip(names, arrays, strict=True))

    def close(self) -> None:
        self._session = None


def check_outputs(graph: GraphProto, path: Path) -> None:
    """Refuse a model that gives sequences or maps alone.

    Raises:
        InvalidModel: naming the node of the first.
    """
    kinds = {one.name: one.type.WhichOneof("value") for one in graph.output}
    if not kinds or "tensor_type" in kinds.values():
        return
    value, kind = next(iter(kinds.items()))
    node = next(one for one in graph.node if value in one.output)
    raise InvalidModel(
        f"{path.name} has no tensor as output: {node.op_type} {node.name!r} gives {value!r}, "
        f"a {str(kind).partition('_')[0]}.",
        hint=f"End the model before that node: studio edit {path.name} --edit 'extract "
        f"end={node.input[0] if node.input else value}' --out FILE",
    )


def first_sentence(error: BaseException) -> str:
    """Return the first line of a native message, without prefix and source position."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
    if line.startswith("[ONNXRuntimeError]"):
        line = line.split(" : ", 3)[-1]
    return shorten(line, 600, placeholder=" ...").rstrip(". ") + "."


def _providers(wanted: str) -> list[str]:
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if wanted not in available:
        raise Unavailable(
            f"The installed ONNX Runtime has no {wanted}; it has {', '.join(available)}.",
            hint="Install the build of onnxruntime that contains it.",
        )
    return list(dict.fromkeys((wanted, "CPUExecutionProvider")))
