-- Which records of one variant are still without a partner?
-- reads   records, unpaired
-- gives   left_over: the columns of capture_records; where the line stood is no longer asked
-- params  $role
select
    null::integer as object_number,
    null::integer as line_number,
    captured_at,
    has_time_zone,
    event_key,
    has_event_id,
    inference_key,
    inference_text,
    input_key,
    input_slices,
    input_content_type,
    output_content_type,
    output_encoding,
    output_data
from records
semi join unpaired using (record_id)
where role = $role;
