"""What a tool for agents is made of: its schemas, its answer, and the texts of strangers in it."""
