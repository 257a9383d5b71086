"""What is written down about a model: its card and its evidence."""
