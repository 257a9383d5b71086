"""Connections to targets, their facts and hardware, and their discovery."""
