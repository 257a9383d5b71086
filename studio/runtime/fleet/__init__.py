"""State of a board for a broker: settings, the counts that wait on the board, small clients."""
