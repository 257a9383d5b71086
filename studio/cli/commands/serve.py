"""``studio serve``: a model served on this computer by the same runtime as on a board."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from studio.api import Extension, UsageError
from studio.cli.output import fail_job, print_lines, print_note
from studio.cli.session import workspace
from studio.deployment.providers import refuse_unknown_providers
from studio.jobs import Server
from studio.jobs.sandbox import readable_around
from studio.packages.bundle import Bundle, is_bundle
from studio.plugin_host import PluginHost
from studio.plugin_host.environments.environment import interpreters
from studio.runtime.archive import write_application
from studio.runtime.backends.catalog import ONNX_RUNTIME, ServingBackend, backend_of
from studio.settings import full_path
from studio.settings.interpreter import own_python
from studio.steps.resolve import model_in_folder
from studio.workspace import Workspace


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", help="model file, bundle folder or NAME:VARIANT")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on [default: 127.0.0.1]"
    )
    parser.add_argument("--port", type=int, default=8477, help="port, 0 for any [default: 8477]")
    parser.add_argument(
        "--providers",
        metavar="LIST",
        help="execution providers of ONNX Runtime in order, such as tensorrt,cuda:1 "
        "[default: auto, those that are installed]",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="additional host name that the server accepts, such as cam.example.com, "
        "*.example.com or * (repeatable)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check the model as every command does, then start the runtime in the same sandbox."""
    if not 0 <= arguments.port <= 65535:
        raise UsageError(f"Port must be between 0 and 65535, not {arguments.port}.")
    refuse_unknown_providers(arguments.providers or "")
    with TemporaryDirectory(prefix="edgewright-serve-") as scratch:
        return _serve(arguments, Path(scratch))


def _serve(arguments: argparse.Namespace, scratch: Path) -> int:
    with workspace() as opened:
        subject = _subject(arguments.model, opened)
        if subject.stranger is not None:
            outcome = opened.run("inspect", model=str(subject.stranger))
            if not outcome.ok:
                return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
        command = _runtime(subject.backend, opened.plugins, scratch)
        command += ["serve", subject.flag, str(subject.path)]
        command += ["--host", arguments.host, "--port", str(arguments.port)]
        command += [f"--providers={arguments.providers}"] if arguments.providers else []
        command += [f"--allowed-host={name}" for name in arguments.allowed_host]
        environments = opened.paths.environments
        reads = (*readable_around(subject.path), scratch, *interpreters(environments))
        reads += (environments,) * environments.exists()
        server = Server(opened.paths, opened.sandbox, reads)
    return server.run(command, _print_runtime_line, print_note)


def _runtime(backend: ServingBackend, host: PluginHost, folder: Path) -> list[str]:
    """Return the command of the runtime, by the Python that has the model's backend.

    Raises:
        Unavailable: when the environment of the backend is not installed.
    """
    if backend is ONNX_RUNTIME:
        return own_python("-m", "studio.runtime")
    point = Extension.TEXT_BACKEND if backend.generates else Extension.BACKEND
    application = folder / "edgewright.pyz"
    write_application(str(application))
    return [str(host.get(point, backend.id).python), str(application)]


def _print_runtime_line(line: str) -> None:
    """Print a line of the runtime with this process's id, which stops it."""
    with contextlib.suppress(ValueError):
        said = json.loads(line)
        if isinstance(said, dict) and "pid" in said:
            line = json.dumps({**said, "pid": os.getpid()})
    print_lines([line], flush=True)


class _Subject(NamedTuple):
    """The arguments of the runtime for a served model.

    Attributes:
        flag: The runtime's option for it.
        stranger: The model's file, where it did not pass its intake before.
    """

    flag: str
    path: Path
    backend: ServingBackend
    stranger: Path | None = None


def _subject(text: str, opened: Workspace) -> _Subject:
    path = full_path(model_in_folder(text, lambda: opened.suffixes, opened.registry))
    if is_bundle(path):
        bundle = Bundle.open(path)
        model = path / str(bundle.raw["model"]["file"])
        return _Subject("--bundle", path, bundle.backend, model)
    if path.is_file():
        return _Subject("--model", path, backend_of(path), path)
    found = opened.registry.find(text)
    opened.registry.fetch(found.path)
    return _Subject("--model", found.path, backend_of(found.path))
