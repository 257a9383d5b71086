"""State of the machine under a bench: board, energy, sensors, limits."""
