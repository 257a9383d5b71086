"""What fleets add to the window."""
