-- Claims under which a handler elsewhere records: what the worker that holds one asks the row.

-- name: read_answered
select answered_seq from durable_execution where id = %(id)s

-- name: read_stalled
-- Whether nothing could ever wake a running execution that is under this claim: its handler suspends, and neither time nor an outsider
-- will complete anything, nor is there news that the handler was not told of.
select e.claim_id = %(claim_id)s and e.status = 'RUNNING' and e.wake_seq <= greatest(e.answered_seq, %(told)s) and not exists (
    select 1 from durable_operation o
     where o.execution_id = e.id
       and (o.status in ('PENDING', 'READY') or o.status = 'STARTED' and o.type in ('WAIT', 'CALLBACK', 'CHAINED_INVOKE')))
  from durable_execution e where e.id = %(id)s
