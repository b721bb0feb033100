"""One file per operation: `run_x(context, key, ...)` decides by what is recorded, runs author code, and checkpoints."""
