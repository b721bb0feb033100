"""Deterministic simulation of the journal's protocol: one seed, one schedule.

Every SQL statement is a generator that pauses between snapshot, lock, recheck, write and commit; a seeded scheduler decides who goes
on, who crashes, who freezes and whose answer is lost; the invariants are checked at every commit. Nothing here knows PostgreSQL or
threads, and all moves are those of `execution_engine.core.transitions`. Executions are invoked, branch, start children that answer them,
are stopped, paused, redriven, forked and purged meanwhile; each fourth schedule has a function with limits, which people change.
"""
