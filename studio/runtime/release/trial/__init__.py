"""Trial of a new release next to the previous one, and its decision."""
