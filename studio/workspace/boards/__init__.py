"""Boards of a broker as the window shows them: a filter line, snapshots, and their thread."""
