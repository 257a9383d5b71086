"""The ``health`` command: is the server of this container ready, and does it answer rightly?"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
from pathlib import Path
from typing import Dict, List, Union

from ..serve import local_server
from ..serve.contracts.environment import BUNDLE
from ..serve.http.message import HttpError
from ..shared.errors import CannotListen
from ..shared.link import authorization


def main(arguments: List[str]) -> int:
    """Check the server; return 0 when it is healthy."""
    parser = argparse.ArgumentParser(prog="health", description="Check the health of the server.")
    add = parser.add_argument
    add("--golden", action="store_true", help="also send the golden samples of its bundle")
    add("--status", action="store_true", help="print its status report")
    add("--seconds", type=float, default=5.0, help="longest wait for an answer (%(default)s)")
    given = parser.parse_args(arguments)
    try:
        found = _status(given.seconds) if given.status else _check(given.golden, given.seconds)
        print(json.dumps(found))
    except (OSError, ValueError, HttpError, CannotListen, http.client.HTTPException) as error:
        print("The server is unhealthy: {}".format(error), file=sys.stderr)
        return 1
    return 0


def _check(golden: bool, seconds: float) -> Dict[str, object]:
    """Check that it is ready; return the results of the golden samples.

    Raises:
        ValueError: when it is not ready, or answers otherwise than it should.
    """
    options = local_server.served()
    link = local_server.connect(options, seconds)
    try:
        link.request("GET", "/v2/health/ready")
        status = link.getresponse()
        status.read()
        if status.status != 200:
            raise ValueError("it is not ready.")
        found: Dict[str, object] = {"ready": True}
        if golden:
            found.update(_golden(link, local_server.token(options), options.bundle))
    finally:
        link.close()
    return found


def _status(seconds: float) -> Dict[str, object]:
    """Read counts, drift and all else that a monitor shows.

    Raises:
        ValueError: when it does not return a status.
    """
    options = local_server.served()
    link = local_server.connect(options, seconds)
    try:
        headers = authorization(local_server.token(options))
        link.request("GET", "/edgewright/status", headers=headers)
        answer = link.getresponse()
        content = answer.read()
    finally:
        link.close()
    if answer.status != 200:
        raise ValueError("it answered {}.".format(answer.status))
    return dict(json.loads(content))


def _golden(
    link: http.client.HTTPConnection, token: str, bundle: Union[str, Path, None]
) -> Dict[str, object]:
    from .golden import ask_golden  # numpy: not for each health check

    folder = Path(bundle or os.environ.get(BUNDLE, ""))
    found = ask_golden(link, authorization(token), folder)
    if found["mismatches"]:
        sentence = "{mismatches} of {samples} golden samples differ (by up to {max_error:.3g})."
        raise ValueError(sentence.format(**found))
    return found
