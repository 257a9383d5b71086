"""The options that say whether a model is served beside what is served already, or in its place."""

from __future__ import annotations

from studio.api import Kind, Option

ENDPOINT = Option(
    "endpoint",
    placeholder="beside the model that is served",
    help="Serve beside what the target serves already, under this name: the endpoint is then "
    "called TARGET/NAME.",
    advanced=True,
)
REPLACE = Option(
    "replace",
    Kind.FLAG,
    default=False,
    title="Replace another model",
    help="Serve the model in the place of another one. Versions and variants of the model that "
    "is served are replaced without it.",
    advanced=True,
)
