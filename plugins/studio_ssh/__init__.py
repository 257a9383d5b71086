"""Boards over SSH: strict host keys, keys or the agent, no passwords kept."""
