"""The pages of the window: one for each stage, each imported on its first visit."""
