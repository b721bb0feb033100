"""What authors of durable functions touch. No Django, no database: `sink.py` is all it knows of a journal."""
