"""The ``serve`` command: a supervisor over a root of releases, or one server of one model."""

from __future__ import annotations

import os
import sys
from typing import List

from . import options as command_line
from .contracts.environment import completed
from .errors import CannotListen
from .memory import import_without_openssl


def main(arguments: List[str]) -> int:
    """Serve until told to end; returns the exit status."""
    options = command_line.parse(completed(arguments, os.environ))
    try:
        if options.root is not None:
            from .supervisor import Supervisor

            return Supervisor(options).run()
        if options.certificate is None:
            import_without_openssl("hashlib", "hmac", "asyncio")
        from .worker import run

        return run(options)
    except CannotListen as error:
        print(error, file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if error.name not in ("numpy", "onnxruntime"):
            raise
        sentence = "The Python at {} lacks {}.".format(sys.executable, error.name)
        print(sentence, file=sys.stderr)
        return 1
