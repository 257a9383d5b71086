"""What a deploy may take the place of: other versions and variants of its model, nothing else.

A target's own record names the model that it serves. Whoever means another one says so.
"""

from __future__ import annotations

ON_PLATFORM = "on a target of its own (studio target add)"
"""How to serve beside what a platform serves, whose address names the endpoint."""


def another_model(
    target: str, served: str, model: str, *, replace: bool, beside: str = ""
) -> tuple[str, str]:
    """Why a model may not be served there, and both ways to do so; empty when it may.

    Args:
        target: Its name, which is ``TARGET/NAME`` for an endpoint.
        served: Name of the model that is served now, empty where none is.
        replace: It was said that the other model is to go.
        beside: How to serve it beside that, where it is not an endpoint.
    """
    if replace or not served or served == model:
        return "", ""
    base, below, _ = target.partition("/")
    beside = beside or f"with {f'--target {base}/NAME' if below else '--endpoint NAME'}"
    return (
        f"{target} serves {served}, another model than {model}.",
        f"Serve it beside that, {beside}, or in its place, with --replace.",
    )
