"""State of many boards: messages, the law of merging, the table, the file."""
