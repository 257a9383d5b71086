"""``studio openapi``: the OpenAPI description of the HTTP interface that models are served with."""

from __future__ import annotations

import argparse

from studio.cli.output import print_json


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments: none beyond the common ones."""


def run(arguments: argparse.Namespace) -> int:
    """Print the document, which is JSON in any case."""
    from studio.runtime.main import RUNTIME_VERSION
    from studio.runtime.serve.endpoints import ROUTES
    from studio.runtime.serve.openapi.document import describe

    print_json(describe(ROUTES, RUNTIME_VERSION))
    return 0
