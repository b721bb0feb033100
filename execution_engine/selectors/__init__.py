"""Questions to the journal: read only, frozen answers, and never a payload in a list."""
