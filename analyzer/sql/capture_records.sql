-- Which of these lines are capture records, and what do they say?
-- reads  lines(object_id, is_shadow, line_number, unterminated, line), lent
-- gives  rows of records
insert into records
with parsed as materialized (  -- else the filter below would parse every line again
    select
        object_id,
        if(is_shadow = 1, 'shadow', 'production') as role,
        line_number,
        line,
        capture_record(line) as record
    from lines
),

timed as (
    select
        *,
        record.captureData.endpointInput as input,
        record.captureData.endpointOutput as output,
        record.eventMetadata.inferenceTime as inference_time,
        utc_time(inference_time) as captured_at
    from parsed
    where
        record.captureData is not null
        and (
            record.captureData.endpointInput is not null
            or record.captureData.endpointOutput is not null
        )
),

decoded as (
    select
        *,
        payload_bytes(input.data, input.encoding) as input_payload
    from timed
    where captured_at is not null
),

records as (
    select
        (object_id::bigint << 40) + line_number as record_id,
        role,
        object_id,
        line_number,
        md5_number(line) as line_md5,
        strlen(line) as line_bytes,
        nullif(record.eventMetadata.inferenceId, '') as inference_id,
        nullif(record.eventMetadata.eventId, '') as event_id,
        captured_at,
        has_time_zone(inference_time) as has_time_zone,
        md5_number(input_payload) as input_key,
        octet_length(input_payload) as input_bytes,
        input.observedContentType as input_content_type,
        output.observedContentType as output_content_type,
        output.encoding as output_encoding,
        output.data as output_data
    from decoded
)

select * from records;
