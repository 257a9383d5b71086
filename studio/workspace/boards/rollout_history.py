"""Rollouts in time for the window."""

from studio.rollouts.history import RolloutSpan, WaveSpan, rollout_spans

__all__ = ["RolloutSpan", "WaveSpan", "rollout_spans"]
