"""Clusters of this machine, a method that waits, and an executor that loses tasks."""
