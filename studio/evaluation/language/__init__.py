"""Quality of language models: distance to the float model, texts, tasks and answers."""
