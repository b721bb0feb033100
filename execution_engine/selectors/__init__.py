"""Questions to the journal: they only read, answer with frozen values, and never put a payload into a list."""
