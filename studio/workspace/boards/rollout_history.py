"""Rollouts in time for the window."""

from studio.rollouts.history import SHOWN, RolloutSpan, WaveSpan, rollout_spans

__all__ = ["SHOWN", "RolloutSpan", "WaveSpan", "rollout_spans"]
