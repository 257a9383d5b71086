"""The step of streaming: frames sent to an endpoint, with live answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from studio.api import Kind, Permission, TargetSpec, UsageError
from studio.jobs import Effect, Step
from studio.jobs.options_form import option
from studio.monitoring.released_bundles import known_bundles
from studio.monitoring.stream.results import StreamResult
from studio.registry import Registry


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Options of the step.

    Attributes:
        known: Folders of the released bundles, from the registry.
    """

    source: str = option(
        positional=True,
        help="A picture, a folder of pictures or arrays, an .npy or .npz file, a video file, "
        "an rtsp:// address, or the number of a camera.",
    )
    target: TargetSpec = option("local", kind=Kind.TARGET, help="Where the model is served.")
    fps: float = option(
        0,
        title="Frames per second",
        minimum=0,
        maximum=1000,
        zero="the source's own",
        help="Pace of the frames: what the model is too slow for is dropped. 0 takes a video's "
        "or camera's own pace, and sends each of a folder's pictures once answered.",
    )
    frames: int = option(
        0,
        minimum=0,
        zero="until the source ends",
        help="Stop after this many frames; files are begun again where there are fewer.",
    )
    seconds: float = option(
        0,
        minimum=0,
        unit="s",
        zero="until the source ends",
        help="Stop after this time; files are begun again where they end sooner.",
    )
    preprocess: Path | None = option(
        None,
        kind=Kind.FILE,
        help="How a picture becomes the input (preprocess.toml); by default as the deployed "
        "bundle says.",
    )
    labels: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Names of the classes, one a line; by default those of the bundle.",
    )
    dictionary: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Characters of a text recogniser, one a line; by default the dictionary.txt "
        "beside the model that was opened.",
    )
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


STREAM: Step[StreamOptions, StreamResult] = Step(
    name="stream",
    title="Try",
    summary="Send pictures, a video or a camera to what a target serves; see the answers live.",
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
    path = Path(source).expanduser().absolute()
    if not path.exists():
        raise UsageError(
            f"There is nothing at {source}.",
            hint="Give a picture, a folder, a video, an rtsp:// address or a camera's number.",
        )
    return str(path)
