"""Connections to targets, their facts and hardware, and what is found on a network."""
