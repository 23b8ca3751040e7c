-- Which records repeat an event that is already there? One of each is kept, chosen by content.
-- reads   records
-- gives   duplicates(record_id, role, captured_at, has_time_zone, contradicts): whether it is of
--         another request, or answers it in another way, than the one that is kept
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
        hash(output_data, output_encoding, inference_key, input_key) as said,
        row_number() over copies as copy,
        first_value(said) over copies as said_first
    from records
    semi join repeated using (role, event_key)
    window copies as (
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
    )
),

duplicates as (
    select
        record_id,
        role,
        captured_at,
        has_time_zone,
        said <> said_first as contradicts
    from copies
    where copy > 1
)

select * from duplicates;
