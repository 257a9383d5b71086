"""The record of decisions on a target: read, verified, exported, forgotten in parts."""
