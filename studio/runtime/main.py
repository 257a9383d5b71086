"""The commands of the runtime, each imported only when it is used."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Dict, List, Optional

from .backends.catalog import BACKENDS
from .parts import MissingPart, MissingPartFinder

RUNTIME_VERSION = "0.1.0"

COMMANDS = {
    "bench": (".bench", "measure a model; JSON lines on stdin and stdout"),
    "answers": (".answers", "return the outputs of a model for many samples"),
    "score": (".generate.score.command", "score a language model: texts, choices, answers"),
    "chat": (".chat", "answer conversations; JSON lines on stdin, events on stdout"),
    "serve": (".serve", "answer inference requests over HTTP"),
    "release": (".release", "receive, stage, probe, switch and roll back releases"),
    "pull": (".pull", "poll a hawkBit server and install its releases"),
    "gate": (".listener", "keep a port and pass it to containers"),
    "health": (".health", "check the health of the server in this container"),
}
"""Command -> (package that has ``main(arguments) -> exit status``, what it does)."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else "--help"
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name in ("version", "--version"):
        print(json.dumps(versions()))
        return 0
    if name not in COMMANDS:
        print("There is no command {!r}.\n{}".format(name, usage()), file=sys.stderr)
        return 2
    module = COMMANDS[name][0]
    sys.meta_path.append(MissingPartFinder())
    try:
        package = importlib.import_module(module, __package__)
        return int(package.main(given[1:]))
    except MissingPart as error:
        print(error, file=sys.stderr)
        return 1


def usage() -> str:
    """Return the list of commands."""
    rows = ["  {:9}{}".format(name, text) for name, (_, text) in COMMANDS.items()]
    rows.append("  {:9}{}".format("version", "the versions of this runtime and of what it uses"))
    return "\n".join(["Commands:", *rows])


def versions() -> Dict[str, str]:
    """Return the runtime's version and what it stands on; nothing heavy is imported."""
    python = ".".join(map(str, sys.version_info[:3]))
    found = {"edgewright": RUNTIME_VERSION, "python": python}
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:  # Python 3.7
        return found
    backends = BACKENDS.values()
    more = dict.fromkeys(name for one in backends for name in one.more)
    for name in ("numpy", *(one.distribution for one in backends), *more, "uvloop"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
