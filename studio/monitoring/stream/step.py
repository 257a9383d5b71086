"""The step of streaming: frames sent to an endpoint, with live answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.api import Kind, Permission, TargetSpec, UsageError
from studio.jobs import Effect, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.released_bundles import known_bundles
from studio.monitoring.stream.results import StreamResult
from studio.settings import full_path

if TYPE_CHECKING:
    from studio.registry import Registry


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Options of the step.

    Attributes:
        known: Folders of the released bundles, from the registry.
    """

    source: str = option(
        positional=True,
        help="Image, folder of images or arrays, .npy, .npz or video file, rtsp:// "
        "address, or camera number.",
    )
    target: TargetSpec = option("local", kind=Kind.TARGET, help="Target name.")
    fps: float = option(
        0,
        title="Frames per second",
        minimum=0,
        maximum=1000,
        zero="rate of the source",
        help="Frame rate; late frames are dropped. 0 uses the rate of the video or camera, "
        "and sends files one after another.",
    )
    frames: int = option(
        0,
        minimum=0,
        zero="until the source ends",
        help="Stop after this many frames; shorter files repeat.",
    )
    seconds: float = option(
        0,
        minimum=0,
        unit="s",
        zero="until the source ends",
        help="Stop after this time; shorter files repeat.",
    )
    preprocess: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Input preprocessing, a preprocess.toml (default: from the bundle).",
    )
    labels: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Class names, one per line (default: from the bundle).",
    )
    dictionary: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Characters of a text recogniser, one per line (default: dictionary.txt in "
        "the model's folder).",
    )
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


STREAM: Step[StreamOptions, StreamResult] = Step(
    name="stream",
    title="Try",
    summary="Stream images, video or a camera to an endpoint and show the results.",
    options=StreamOptions,
    result=StreamResult,
    work="studio.monitoring.stream.run:stream",
    until_stopped=True,
    texts="studio.monitoring.stream.texts:stream",
    prepare="studio.monitoring.stream.step:prepare",
    needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    effect=Effect.LOOKS,
    ordered=True,
)


def prepare(registry: Registry, options: StreamOptions) -> StreamOptions:
    """Add the known bundles of the target's releases, and resolve the source's path.

    Raises:
        UsageError: when the source is a file or folder that does not exist.
    """
    known = known_bundles(registry, options.target.name)
    return replace(options, source=located(options.source), known=known)


def located(source: str) -> str:
    """Return the absolute path of a file; cameras' numbers and addresses stay unchanged.

    Raises:
        UsageError: when the path does not exist.
    """
    if source.isdecimal() or "://" in source:
        return source
    # The worker runs in another folder, so a relative path is resolved here.
    path = full_path(source)
    if not path.exists():
        raise UsageError(
            f"{source} does not exist.",
            hint="Pass an image, a folder, a video, an rtsp:// address or a camera number.",
        )
    return str(path)
