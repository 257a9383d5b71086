"""Error messages for an engine's or a registry's complaints, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from docker.errors import APIError, DockerException, ImageNotFound

from studio.api import StudioError, TargetError

_MORE_MEMORY = "Give it more with --set memory_mb=NUMBER, or 0 for no limit."
_KNOWN = (
    (
        "no space left on device",
        "The disk of the container engine is full.",
        "Free disk space: docker system prune",
    ),
    (
        "is already in use by container",
        "Another deployment to this target is running.",
        "Wait for it to finish. The next deployment cleans up after an interrupted one.",
    ),
    (
        "port is already allocated",
        "The port is taken on the engine's machine.",
        "Choose another with --set port=NUMBER.",
    ),
    (
        "address already in use",
        "The port is taken on the engine's machine.",
        "Choose another with --set port=NUMBER.",
    ),
    (
        "memory limit too low",
        "The container exceeds its memory limit.",
        _MORE_MEMORY,
    ),
    (
        "unable to set memory limit",
        "The container exceeds its memory limit.",
        _MORE_MEMORY,
    ),
    (
        "cannot start a stopped process",
        "The container ended before its server started, most often for lack of memory.",
        _MORE_MEMORY,
    ),
    (
        "could not select device driver",
        "The engine has no GPU for containers.",
        "Install NVIDIA's container toolkit there, or choose variant=cpu.",
    ),
    (
        "network bridge not found",
        "The engine has no bridge network.",
        "Use the network of its machine: --set network=host",
    ),
    (
        "unauthorized",
        "The registry wants another login.",
        "Log in with: docker login REGISTRY",
    ),
    (
        "no basic auth credentials",
        "The registry wants a login.",
        "Log in with: docker login REGISTRY",
    ),
    (
        "authentication required",
        "The registry wants a login.",
        "Log in with: docker login REGISTRY",
    ),
    (
        "denied",
        "The registry does not let you do that.",
        "Ask for the right to push there, or choose another name.",
    ),
    (
        "server gave http response to https client",
        "The registry speaks plain HTTP, which the engine does not trust.",
        "Add it to the engine's insecure-registries if it is your own.",
    ),
    (
        "connection refused",
        "The registry does not answer.",
        "Check the name of the registry, and that it is running.",
    ),
    (
        "no such host",
        "The registry's name is not known.",
        "Check the spelling and the network connection.",
    ),
    (
        "invalid reference format",
        "Invalid image name.",
        "Write it like digits:1 or registry.example:5000/team/digits:1.",
    ),
)
"""Part of an engine's message, the studio's message, and the hint."""


@contextmanager
def translated_errors(what: str) -> Iterator[None]:
    """Turn the errors of the engine's library into sentences; ``what`` failed."""
    try:
        yield
    except StudioError:
        raise
    except ImageNotFound as error:
        raise sentence(what, _text(error)) from None
    except APIError as error:
        raise sentence(what, _text(error)) from None
    except requests.exceptions.Timeout:
        raise TargetError(
            f"{what} failed: the engine gave no answer in time.",
            hint="The host may be overloaded. Try again.",
        ) from None
    except (requests.exceptions.RequestException, DockerException, OSError) as error:
        raise TargetError(
            f"{what} failed: the engine does not answer any more.",
            hint="Check that the engine is running.",
            detail=str(error),
        ) from None


def sentence(what: str, text: str) -> TargetError:
    """Return the error for an engine's message."""
    for part, said, hint in _KNOWN:
        if part in text.lower():
            return TargetError(said, hint=hint, detail=f"{what}: {text}")
    first = text.strip().splitlines()[0][:200].rstrip(".") if text.strip() else "no reason given"
    return TargetError(f"{what} failed: {first}.", detail=text)


def _text(error: APIError) -> str:
    return str(error.explanation or error)
