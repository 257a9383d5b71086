"""Messages of native libraries, short enough to quote."""

from __future__ import annotations

import re
from textwrap import shorten

_CODES = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_PLACE_IN_CODE = re.compile(r"Exception from |Check '.*' failed|FrontEnd API failed")
"""Lines of OpenVINO in front of the reason."""


def first_line(error: BaseException) -> str:
    """Return the first line of a native message, without codes and short enough to quote."""
    lines = _CODES.sub("", str(error)).strip().splitlines()
    reasons = [line for line in lines if line.strip() and not _PLACE_IN_CODE.match(line)] or lines
    line = shorten(reasons[0], 600, placeholder=" ...") if reasons else "no reason given"
    return line.rstrip(".") + "."
