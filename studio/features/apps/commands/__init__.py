"""The commands of apps."""
