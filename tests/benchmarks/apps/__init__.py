"""Workers and scores of the bench of apps."""
