-- What do files look like that hold nothing? A table read from files needs at least one.
-- reads  nothing
-- gives  no row, with the columns of capture_records
select
    null::integer as object_number,
    null::integer as line_number,
    null::timestamp as captured_at,
    null::boolean as has_time_zone,
    null::uuid as event_key,
    null::boolean as has_event_id,
    null::uuid as inference_key,
    null::varchar as inference_text,
    null::ubigint as input_key,
    null::struct(fate varchar, "value" varchar)[] as input_slices,
    null::varchar as input_content_type,
    null::varchar as output_content_type,
    null::varchar as output_encoding,
    null::varchar as output_data
where false;
