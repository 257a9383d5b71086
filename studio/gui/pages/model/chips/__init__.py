"""The tool Chips of the Model page: a check for a chip, its result, and the placement."""
