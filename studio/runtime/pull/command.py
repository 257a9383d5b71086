"""The verbs of ``pull``: set up, run, poll once, show, remove."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Callable, Dict, List, Mapping

from ..shared.files import remove
from . import greengrass, mender, unit
from .action_state import load
from .board_setup import set_up
from .errors import PullError, TryLater
from .service import PullService, single
from .settings import BRINGERS, MENDER, SWUPDATE, PullFolder
from .swupdate import SwupdateService, take

_MOST_INPUT = 1 << 20


def main(arguments: List[str]) -> int:
    """Run one verb and return the exit status."""
    given = _parser().parse_args(arguments)
    root = Path(os.path.abspath(given.root))
    try:
        if given.verb == "run":
            return _run(root, given.once)
        if given.verb == "take":
            found = take(root, Path(given.artefact))
        elif given.verb == "module":
            return mender.state(root, given.state, Path(given.files))
        elif given.verb == "component":
            return greengrass.phase(root, given.phase, Path(given.folder), given.release)
        else:
            found = _VERBS[given.verb](root)
    except TryLater as error:
        return _failed(str(error), "later")
    except PullError as error:
        return _failed(str(error), "refused")
    except OSError as error:
        return _failed("{}: {}.".format(error.filename, error.strerror), "failed")
    print(json.dumps(dict(found, event="result"), sort_keys=True))
    return 0


def _run(root: Path, once: bool) -> int:
    """Poll by the program that the settings name."""
    client = PullFolder(root).load().client
    if client in BRINGERS:
        raise PullError("This board polls no server: {} brings its releases.".format(client))
    if client == SWUPDATE:
        if once:
            raise PullError("SWUpdate polls on its own, and never just once.")
        return SwupdateService(root).run()
    service = PullService(root)
    return service.once() if once else service.run()


def install(root: Path) -> Dict[str, object]:
    """Set up the client from JSON on standard input: the settings, ``token`` and ``ca_pem``.

    Raises:
        PullError: when they cannot be used.
    """
    return set_up(root, sys.stdin.buffer.read(_MOST_INPUT))


def uninstall(root: Path) -> Dict[str, object]:
    """Remove the client with its secret; the releases stay."""
    unit.stop(root)
    folder = PullFolder(root)
    was = folder.settings.exists()
    if was:
        with single(root):
            remove(folder.folder)
    return {"removed": was}


def status(root: Path) -> Dict[str, object]:
    """Return the settings without the secret, and the action under way."""
    folder = PullFolder(root)
    settings, state = folder.load(), load(folder)
    return {
        "settings": settings._asdict(),
        "module": str(mender.module_of(folder)) if settings.client == MENDER else "",
        "has_token": folder.token.exists(),
        "state": state._asdict(),
        "service": unit.installed(root),
        "alive": unit.is_alive(root),
    }


def _failed(message: str, code: str) -> int:
    print(json.dumps({"event": "error", "code": code, "message": message}))
    print(message, file=sys.stderr)
    return 1


_VERBS: Mapping[str, Callable[[Path], Dict[str, object]]] = {
    "install": install,
    "remove": uninstall,
    "status": status,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pull", description="Releases from a hawkBit server.")
    verbs = parser.add_subparsers(dest="verb")
    verbs.required = True
    run = verbs.add_parser("run", help="poll the server until ended")
    run.add_argument("--once", action="store_true", help="poll once and end")
    verbs.add_parser("install", help="set up from JSON on standard input, and start the service")
    verbs.add_parser("remove", help="end the service and remove settings and secret")
    verbs.add_parser("status", help="show the settings and the action under way")
    taken = verbs.add_parser("take", help="install an artefact that SWUpdate has delivered")
    taken.add_argument("artefact", help="file of the artefact; it is removed")
    module = verbs.add_parser("module", help="a state of Mender's update module")
    module.add_argument("state", help="name of the state, such as ArtifactInstall")
    module.add_argument("files", help="folder that Mender has laid out for the module")
    component = verbs.add_parser("component", help="a phase of a component of AWS IoT Greengrass")
    component.add_argument("phase", choices=greengrass.PHASES, help="phase of its life cycle")
    component.add_argument("--release", default="", help="release that must be in it")
    component.add_argument("folder", help="folder of its unpacked artefact")
    for verb in verbs.choices.values():
        verb.add_argument("--root", required=True, help="folder of releases")
    return parser
