"""The command of agents."""
