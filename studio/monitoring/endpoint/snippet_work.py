"""A program that calls an endpoint, filled with its address, model, inputs and token."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import numpy

from studio.api import TargetError, TargetSpec
from studio.deployment.access import keep_certificate
from studio.jobs import Job
from studio.monitoring.endpoint.call_step import CallOptions
from studio.monitoring.endpoint.client import InferenceClient, ServedModel
from studio.monitoring.endpoint.datatypes import NAMES
from studio.monitoring.endpoint.endpoint import Endpoint, Link, reached
from studio.monitoring.endpoint.results import CallResult
from studio.monitoring.endpoint.snippets import LANGUAGES, Call, CallAddress, ExampleInput
from studio.monitoring.endpoint.status import ServerReport
from studio.monitoring.released_bundles import KnownBundles
from studio.packages import Bundle
from studio.targets.connect import host_of, is_local, place_of, ssh_command, tunnel_command

_ANY = ("0.0.0.0", "::", "")
_SIDE = 224
_LENGTH = 16


def print_call(options: CallOptions, language: str, job: Job) -> CallResult:
    """Write the program; the server is only queried for the model's description.

    Raises:
        TargetError: when there is no release, or the endpoint has no HTTP address of its own.
    """
    call, version = described_call(options, job)
    return CallResult(
        target=options.target.name,
        model=call.model,
        version=version,
        language=language,
        endpoint=call.place.url,
        certificate=call.place.certificate,
        token=call.place.token,
        code=LANGUAGES[language](call),
    )


def described_call(options: CallOptions, job: Job) -> tuple[Call, str]:
    """Return a call of the served model, and the model's version.

    Raises:
        TargetError: when there is no release, or the endpoint has no HTTP address of its own.
    """
    target = options.target
    with reached(target, job, options.known) as link:
        if not isinstance(link, Endpoint):
            raise TargetError(
                f"{target.name} requires the tools and credentials of its vendor.",
                hint=f"studio call --target {target.name} sends requests through them.",
            )
        with closing(InferenceClient(link)) as client:
            model = client.model()
        place = reachable(target, link, options.endpoint)
        bundle = _bundle(options.known, link.report)
    writes = bundle is not None and Bundle.open(bundle).backend.generates
    call = Call(place, model.name, _inputs(model, bundle), _takes_pictures(bundle), writes)
    return call, model.version


def reachable(target: TargetSpec, link: Link, endpoint: str) -> CallAddress:
    """Return the address of a server for its callers.

    Args:
        endpoint: Address of the last release, from the registry.
    """
    report = link.report
    kept = urlsplit(endpoint)
    scheme = report.scheme or kept.scheme or "http"
    port = report.port or kept.port
    host = report.host or kept.hostname or "127.0.0.1"
    if host in _ANY:
        host = "127.0.0.1" if is_local(target) else host_of(target)
    if port is None:
        raise TargetError(f"The address of {target.name} is unknown: deploy to it again.")
    certificate = keep_certificate(target, "") if scheme == "https" else ""
    there = f"[{host}]" if ":" in host else host
    url = f"{scheme}://{there}:{port}"
    tunnel = tunnel_command(target, host, port)
    return CallAddress(url, _token(target, report), certificate, tunnel)


def _token(target: TargetSpec, report: ServerReport) -> str:
    """Return a command that prints the token, which is never written into a program."""
    if not report.token_required:
        return ""
    # A command over ssh starts in the home folder.
    root = place_of(target).removeprefix("~/")
    words = ["cat", f"{root}/access/token"]
    return shlex.join(words if is_local(target) else [*ssh_command(target), *words])


def _bundle(known: KnownBundles, report: ServerReport) -> Path | None:
    """Return the bundle of the current release, if it is on this computer."""
    folder = (known.get(report.digest) or {}).get("bundle", "")
    return Path(folder) if folder and Path(folder).is_dir() else None


def _takes_pictures(bundle: Path | None) -> bool:
    return bundle is not None and bool(Bundle.open(bundle).raw.get("preprocess"))


def _inputs(model: ServedModel, bundle: Path | None) -> Sequence[ExampleInput]:
    """Return the inputs with the sizes of a golden sample, or with likely sizes."""
    shapes = {} if bundle is None else _golden_shapes(bundle)
    return [
        ExampleInput(
            value.name,
            NAMES[value.type.dtype],
            shapes.get(value.name) or _likely(value.type.shape or ()),
        )
        for value in model.inputs
        if value.type is not None
    ]


def _golden_shapes(bundle: Path) -> dict[str, tuple[int, ...]]:
    for path in sorted((bundle / "golden" / "inputs").glob("*.npz"))[:1]:
        with numpy.load(path, allow_pickle=False) as arrays:
            return {
                name.removeprefix("in."): tuple(arrays[name].shape)
                for name in arrays.files
                if name.startswith("in.")
            }
    return {}


def _likely(shape: Sequence[int | str | None]) -> tuple[int, ...]:
    """Return a likely shape: one row, the sides of a picture, else a short length."""
    open_size = _SIDE if len(shape) == 4 else _LENGTH
    return tuple(
        size if isinstance(size, int) else 1 if axis == 0 else 3 if len(shape) == 4 and axis == 1
        else open_size
        for axis, size in enumerate(shape)
    )  # fmt: skip
