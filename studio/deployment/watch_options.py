"""Options of a deploy that say by what a release is watched; nothing heavy: forms are made of them.

A rollout has the same ones, for each of its boards.
"""

from __future__ import annotations

from studio.api import Kind, Option

SAMPLES_MB = 64.0

EMBEDDING = Option(
    "embedding",
    title="Embedding for drift",
    help="auto, or the name of a tensor: drift is also watched in what the model's last layer "
    "sees. Off without; needs golden samples.",
    advanced=True,
)

KEPT = (
    Option(
        "agreement",
        Kind.NUMBER,
        default=0.0,
        minimum=0,
        maximum=50,
        unit="% of a core",
        title="Compare with the version before",
        zero="after a trial no answer is compared",
        help="Load the version before, too, and compare the answers to some requests from now on, "
        "for so much of one core at most.",
        advanced=True,
    ),
    Option(
        "keep_samples",
        Kind.INTEGER,
        default=0,
        minimum=0,
        maximum=10_000,
        title="Keep uncertain requests",
        zero="none is ever kept",
        help="So many of the requests that the model is least certain of stay on the target, for "
        "labelling (studio monitor --samples). They are what clients have sent: off unless you "
        "say so, with each deploy.",
        advanced=True,
    ),
    Option(
        "samples_mb",
        Kind.NUMBER,
        default=SAMPLES_MB,
        minimum=0.1,
        maximum=100_000,
        unit="MB",
        title="Room for kept requests",
        help="At most so much of the target's disk.",
        advanced=True,
    ),
)
"""What a machine does beside answering; no platform can."""
