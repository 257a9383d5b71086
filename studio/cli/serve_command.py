"""``studio serve``: a model served on this computer by the same runtime as on a board."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from studio.api import UsageError
from studio.cli.session import workspace


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", help="a model's file, a bundle's folder, or name:variant")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on [default: 127.0.0.1]"
    )
    parser.add_argument("--port", type=int, default=8477, help="port, 0 for any [default: 8477]")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="name that this server answers to beside its own (repeatable; *.example.com, *)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Become the runtime."""
    if not 0 <= arguments.port <= 65535:
        raise UsageError(f"Port must be between 0 and 65535, not {arguments.port}.")
    what, path = _subject(arguments.model)
    command = [sys.executable, "-m", "studio.runtime", "serve", what, str(path)]
    command += ["--host", arguments.host, "--port", str(arguments.port)]
    command += [f"--allowed-host={name}" for name in arguments.allowed_host]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def _subject(text: str) -> tuple[str, Path]:
    path = Path(text).expanduser().absolute()
    if (path / "manifest.json").is_file():
        return "--bundle", path
    if path.is_file():
        return "--model", path
    with workspace() as opened:
        return "--model", opened.registry.find(text).path
