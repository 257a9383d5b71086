"""Rules for prompts and answers: words, patterns, forms and lengths that are not let through."""
