"""One invocation of one function: `run.py` is the file to read first."""
