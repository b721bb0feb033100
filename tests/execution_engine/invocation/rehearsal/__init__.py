"""Rehearsal: what is changed in the code is found in the history, and nothing is done."""
