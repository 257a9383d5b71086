"""The step of streaming: frames sent to what a target serves, answered live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.api import Kind, Option, Permission, UsageError
from studio.jobs import Arguments, Effect, Result, Step
from studio.monitoring.released_bundles import known_bundles
from studio.registry import Registry

STREAM: Step[Arguments, Result] = Step(
    name="stream",
    title="Try",
    summary="Send pictures, a video or a camera to what a target serves; see the answers live.",
    options=(
        Option(
            "source",
            required=True,
            positional=True,
            help="A picture, a folder of pictures or arrays, an .npy or .npz file, a video file, "
            "an rtsp:// address, or the number of a camera.",
        ),
        Option("target", Kind.TARGET, "local", help="Where the model is served."),
        Option(
            "fps",
            Kind.NUMBER,
            0,
            title="Frames per second",
            minimum=0,
            maximum=1000,
            zero="the source's own",
            help="Pace of the frames: what the model is too slow for is dropped. 0 takes a video's "
            "or camera's own pace, and sends each of a folder's pictures once answered.",
        ),
        Option(
            "frames",
            Kind.INTEGER,
            0,
            minimum=0,
            zero="until the source ends",
            help="Stop after this many frames; files are begun again where there are fewer.",
        ),
        Option(
            "seconds",
            Kind.NUMBER,
            0,
            minimum=0,
            unit="s",
            zero="until the source ends",
            help="Stop after this time; files are begun again where they end sooner.",
        ),
        Option(
            "preprocess",
            Kind.FILE,
            help="How a picture becomes the input (preprocess.toml); by default as the deployed "
            "bundle says.",
        ),
        Option(
            "labels",
            Kind.FILE,
            help="Names of the classes, one a line; by default those of the bundle.",
        ),
        Option(
            "dictionary",
            Kind.FILE,
            help="Characters of a text recogniser, one a line; by default the dictionary.txt "
            "beside the model that was opened.",
        ),
    ),
    work="studio.monitoring.stream.run:stream",
    prepare="studio.monitoring.stream.step:prepare",
    needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    effect=Effect.LOOKS,
    ordered=True,
)


def prepare(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Add what is known of the target's releases, and find the source from where the user is.

    Raises:
        UsageError: when the source is a file or folder that does not exist.
    """
    known = known_bundles(registry, arguments["target"]["name"])
    return {**arguments, "source": located(str(arguments["source"])), "known": known}


def located(source: str) -> str:
    """An absolute path for a file; cameras' numbers and addresses stay as they are.

    Raises:
        UsageError: when nothing is there.
    """
    if source.isdecimal() or "://" in source:
        return source
    path = Path(source).expanduser().absolute()
    if not path.exists():
        raise UsageError(
            f"There is nothing at {source}.",
            hint="Give a picture, a folder, a video, an rtsp:// address or a camera's number.",
        )
    return str(path)
