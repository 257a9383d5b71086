"""The names that MLflow allows, checked before anything is sent."""

from __future__ import annotations

import re

from studio.api import UsageError

_LONGEST = 255
_ALIAS = re.compile(r"[\w\-]+", re.ASCII)
_LIKE_A_VERSION = re.compile(r"[vV]\d+")


def checked_model(name: str) -> str:
    """The name of a registered model.

    Raises:
        UsageError: when MLflow would refuse it.
    """
    bad = next((sign for sign in "/:" if sign in name), "")
    if bad:
        raise UsageError(
            f"MLflow allows no {bad!r} in the name of a model: {name!r}.",
            hint="Choose another with --name.",
        )
    if not name.strip() or len(name) > _LONGEST:
        raise UsageError(f"The name of a model in MLflow has 1 to {_LONGEST} characters.")
    return name


def checked_alias(alias: str) -> str:
    """The name of an alias.

    Raises:
        UsageError: when MLflow would refuse it.
    """
    if not _ALIAS.fullmatch(alias) or len(alias) > _LONGEST:
        raise UsageError(
            f"{alias!r} cannot be an alias in MLflow.",
            hint="It has letters, digits, dashes and underscores.",
        )
    if alias.lower() == "latest" or _LIKE_A_VERSION.fullmatch(alias):
        raise UsageError(
            f"MLflow keeps the alias {alias!r} for itself.", hint="champion, challenger ..."
        )
    return alias


def checked_version(text: str) -> str:
    """The number of a version.

    Raises:
        UsageError: when it is no number.
    """
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"A version in MLflow is a number, not {text!r}.")
    return str(int(text))
