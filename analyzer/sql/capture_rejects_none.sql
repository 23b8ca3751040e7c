-- The same for rejects.
-- reads  nothing
-- gives  no row, with the columns of capture_rejects
select
    null::varchar as code,
    null::bigint as object_number,
    null::bigint as line_number,
    null::varchar as line_sha256,
    null::bigint as line_bytes
where false;
