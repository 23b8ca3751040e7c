-- The same where every event is known to be there once.
-- reads   nothing
-- gives   no row, with the columns of capture_duplicates
select
    null::bigint as record_id,
    null::varchar as role,
    null::timestamp as captured_at,
    null::boolean as has_time_zone,
    null::boolean as contradicts
where false;
