"""The panels at the right edge of the window: activity and help."""
