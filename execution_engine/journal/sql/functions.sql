-- name: register_function
insert into durable_function (name, created_at) values (%(function)s, clock_timestamp()) on conflict (name) do nothing

-- name: register_version
-- What a process found in its code; the last one to register an unchanged version number wins, as deployments do.
insert into durable_function_version as v (
  function, version, execution_timeout, invocation_timeout, retention_days, memory_mb, is_durable, fingerprint, source, description,
  input_schema, created_at, registered_at)
values (
  %(function)s, %(version)s, %(execution_timeout)s, %(invocation_timeout)s, %(retention_days)s, %(memory_mb)s, %(is_durable)s,
  %(fingerprint)s, %(source)s, %(description)s, %(input_schema)s, clock_timestamp(), clock_timestamp())
on conflict (function, version) do update
   set execution_timeout = excluded.execution_timeout, invocation_timeout = excluded.invocation_timeout,
       retention_days = excluded.retention_days, memory_mb = excluded.memory_mb, is_durable = excluded.is_durable,
       fingerprint = excluded.fingerprint, source = excluded.source, description = excluded.description,
       input_schema = excluded.input_schema,
       shaped_at = case when v.fingerprint = excluded.fingerprint then v.shaped_at else clock_timestamp() end,
       registered_at = clock_timestamp()
returning v.id

-- name: find_version
-- The version asked for, or the newest one of the function.
select id, version, execution_timeout, retention_days, is_durable from durable_function_version
 where function = %(function)s and (%(version)s::text is null or version = %(version)s)
 order by created_at desc, id desc limit 1
