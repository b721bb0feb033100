"""Rehearsal: a recorded history is replayed against the code that is loaded here, and nothing is done.

`rehearse.py` is the file to read first; `watch.py` sees what the code asks for, `compare.py` says where that differs from what
is recorded, `guard.py` keeps effects from happening, `stored.py` reads histories from the database.
"""
