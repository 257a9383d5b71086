"""The ``serve`` command: a supervisor over a root of releases, or one server of one model."""

from __future__ import annotations

import os
import sys
from typing import List

from ..backends.catalog import BACKENDS
from ..shared.errors import CannotListen
from .contracts.environment import completed
from .engine.memory import forget, import_without_openssl
from .options import Options


def main(arguments: List[str]) -> int:
    """Serve until a signal ends it; return the exit status."""
    options = _parsed(completed(arguments, os.environ))
    try:
        if options.root is not None:
            from .supervision.supervisor import Supervisor

            return Supervisor(options).run()
        if options.certificate is None:
            import_without_openssl("hashlib", "hmac", "asyncio")
        from .worker import run

        return run(options)
    except CannotListen as error:
        print(error, file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if error.name not in {"numpy", *(one.module for one in BACKENDS.values())}:
            raise
        sentence = "The Python at {} lacks {}.".format(sys.executable, error.name)
        print(sentence, file=sys.stderr)
        return 1


def _parsed(arguments: List[str]) -> Options:
    """Return the options; the parser's half megabyte is freed before the model loads."""
    from . import arguments as command_line

    options = command_line.parse(arguments)
    del command_line
    forget(__package__ + ".arguments", "argparse", "gettext", "locale")
    return options
