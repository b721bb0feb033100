"""Engines with one fault each, for workers that a test must catch. A worker loads one through DURABLE_FUNCTION_MODULES."""
