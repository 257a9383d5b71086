"""MLPerf's LoadGen beside the bench, in an environment of its own."""
