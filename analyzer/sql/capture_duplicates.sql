-- Which records repeat an event that is already there? One of each is kept, chosen by content.
-- reads   records
-- gives   duplicates(record_id, role, captured_at, has_time_zone)
with
repeated as (
    select
        role,
        event_key
    from records
    group by
        role,
        event_key
    having count(*) > 1
),

copies as (
    select
        record_id,
        role,
        captured_at,
        has_time_zone,
        row_number() over (
            partition by role, event_key
            order by
                captured_at,
                output_data,
                inference_key,
                input_key,
                output_encoding,
                output_content_type,
                input_content_type,
                record_id
        ) as copy
    from records
    semi join repeated using (role, event_key)
),

duplicates as (
    select
        record_id,
        role,
        captured_at,
        has_time_zone
    from copies
    where copy > 1
)

select * from duplicates;
