"""Fleets as the window shows them: boards of a broker, approvals, rollouts in time."""
