"""The meaning of outputs in words for people."""

from __future__ import annotations

from studio.runtime.serve.decoders import settings

TITLES = {
    "classification": "Classes",
    "probability": "A probability",
    "detection": "Objects with boxes",
    "keypoints": "Objects with key points",
    "instances": "Objects with masks",
    "segmentation": "A map of classes",
    "text-detection": "Lines of text",
    "text": "A text",
    "embedding": "An embedding",
    "regression": "Values",
    "speech": "Speech",
}
"""By the tasks of an ``outputs.toml``."""


_OBJECTS = ("head", "threshold", "overlap")

KEYS = {
    "classification": ("output", "activation"),
    "probability": ("output", "activation", "threshold"),
    "detection": (*_OBJECTS, "activation", "background"),
    "keypoints": (*_OBJECTS, "point_score"),
    "instances": (*_OBJECTS, "mask_score", "background"),
    "segmentation": ("output", "threshold"),
    "text-detection": ("output", "threshold"),
    "text": ("output",),
    "embedding": ("output",),
    "regression": ("output", "unit"),
    "speech": ("output", "rate_hz", "language"),
}
"""Keys of an ``outputs.toml`` that a task has a use for, without the rare ones."""

HEADS_OF = {
    "detection": settings.BOX_HEADS,
    "keypoints": settings.POINT_HEADS,
    "instances": settings.MASK_HEADS,
}


def in_words(chosen: settings.OutputSettings) -> str:
    """Return the meaning of outputs in one line: ``Objects with boxes (yolov8)``."""
    title = TITLES.get(chosen.task, chosen.task)
    return f"{title} ({chosen.head})" if chosen.task in settings.WITH_OBJECTS else title
