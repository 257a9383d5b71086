"""The address of a target: ``sagemaker://REGION/ENDPOINT``."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from studio.api import UsageError
from studio_sagemaker.names import LONGEST, EndpointNames, is_endpoint_name, suggest

FORM = "Write sagemaker://REGION/ENDPOINT, for instance sagemaker://eu-central-1/digits."
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")


def parse_address(url: str) -> EndpointNames:
    """Read a target's URL.

    Raises:
        UsageError: for another form, or a name that AWS forbids.
    """
    parts = urlsplit(url)
    name = parts.path.removeprefix("/")
    if parts.scheme != "sagemaker" or not _REGION.fullmatch(parts.netloc) or "/" in name:
        raise UsageError(f"{url!r} is not the address of a SageMaker endpoint.", hint=FORM)
    if not is_endpoint_name(name):
        raise UsageError(
            f"SageMaker does not allow the name {name!r}.",
            hint=f"Letters, digits and dashes between them, at most {LONGEST}: "
            f"for instance {suggest(name)!r}.",
        )
    return EndpointNames(parts.netloc, name)
