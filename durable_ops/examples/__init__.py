"""Five durable functions to read, start and copy, with the small tables and tools that make their effects real."""
