"""Broken: a flush does not ask whose claim it writes under."""

from execution_engine.journal import statements

COMPARED = "e.claim_id = a.claim_id and e.checkpoint_seq = a.checkpoint_seq and"
statement = statements._statements()
assert COMPARED in statement["flush"], "the flush compares claims differently now: adapt the broken variant"
statement["flush"] = statement["flush"].replace(COMPARED, "")
statements.statement.cache_clear()
