-- Which part does each request of a replay go to, so that it meets production's record of it?
-- reads   spreading: rows of replay_events; uses the macros of capture_macros
-- gives   spread_events: the same columns, and part
-- params  $parts: how many there are
select
    *,
    (hash(id_key(event_id, try_cast(event_id as uuid))) % $parts::ubigint)::integer as part
from spreading;
