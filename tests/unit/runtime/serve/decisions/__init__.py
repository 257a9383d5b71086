"""Tests of what a server records of its answers."""
