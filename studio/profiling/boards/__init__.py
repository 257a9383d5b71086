"""One study over many boards: reservations, measurements side by side, one table of verdicts."""
