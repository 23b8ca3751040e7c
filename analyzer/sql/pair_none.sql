-- No pairs yet.
-- reads  nothing
-- gives  no row of pairings
select
    null::bigint as production_id,
    null::bigint as shadow_id,
    null::timestamp as production_at,
    null::timestamp as shadow_at,
    null::varchar as paired_by,
    null::uuid as open_key,
    null::bigint as events
where false;
