"""The studio as a library for scripts and notebooks: ``import studio``."""

from studio.library.endpoint import Endpoint
from studio.library.entry import close, endpoint, get_sample, open, run
from studio.library.model import Model, Quantized
from studio.library.report import Report

__all__ = [
    "Endpoint",
    "Model",
    "Quantized",
    "Report",
    "close",
    "endpoint",
    "get_sample",
    "open",
    "run",
]
