"""Intervals for decisions from counted requests: the one that the studio's servers use, too."""

from studio.runtime.shared.statistics import wilson

__all__ = ["wilson"]
