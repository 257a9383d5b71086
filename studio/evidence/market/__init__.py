"""What follows the market: the plan as it is configured, and the grid of the energy."""
