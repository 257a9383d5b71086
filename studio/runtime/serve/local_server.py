"""Address of this container's server, read from the command line of its first process."""

from __future__ import annotations

import http.client
import os
import ssl
from pathlib import Path
from typing import List

from ..shared.access_tokens import VARIABLE, tokens_of
from .arguments import parse
from .contracts.environment import completed
from .options import Options

_FIRST = Path("/proc/1/cmdline")


def served() -> Options:
    """Return the options of the server; the defaults if the first process is no server."""
    return parse(completed(_arguments(), os.environ))


def _arguments() -> List[str]:
    try:
        words = [os.fsdecode(word) for word in _FIRST.read_bytes().split(b"\0")[:-1]]
    except OSError:
        words = []
    return words[words.index("serve") + 1 :] if "serve" in words else []


def connect(options: Options, seconds: float) -> http.client.HTTPConnection:
    """Return a connection over the container's loopback, where no other process can listen."""
    if options.certificate is None:
        return http.client.HTTPConnection("127.0.0.1", options.port, timeout=seconds)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", options.port, timeout=seconds, context=context)


def token(options: Options) -> str:
    """Return one of the tokens that the server requires; empty if none."""
    found = tokens_of(options.token_file, {VARIABLE: os.environ.get(VARIABLE, "")})
    return found[0] if found else ""
