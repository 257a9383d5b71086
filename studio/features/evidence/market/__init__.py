"""The time after the market: the plan as configured, overrides, and the grid of the energy."""
