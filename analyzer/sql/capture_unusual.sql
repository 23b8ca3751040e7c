-- Which of the lines that the fast way left are capture records after all?
-- reads   lines(object_number, line_number, unterminated, line), lent
-- gives   rows as capture_records gives them
-- params  $records_file: what the fast way wrote; $slice_columns, $slice_paths: see input_values
with
left_over as (
    select
        object_number,
        line_number
    from read_parquet($records_file, hive_partitioning = false)
    where captured_at is null
),

parsed as materialized (  -- else the filter below would parse every line again
    select
        lines.object_number,
        lines.line_number,
        lines.line,
        capture_record(lines.line) as record
    from lines
    semi join left_over using (object_number, line_number)
),

named as (
    select
        object_number,
        line_number,
        line,
        record.captureData.endpointInput as input,
        record.captureData.endpointOutput as output,
        nullif(record.eventMetadata.eventId, '') as event_id,
        nullif(record.eventMetadata.inferenceId, '') as inference_id,
        try_cast(event_id as uuid) as event_uuid,
        try_cast(inference_id as uuid) as inference_uuid,
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

capture_unusual as (
    select
        object_number::integer as object_number,
        line_number::integer as line_number,
        captured_at,
        has_time_zone(inference_time) as has_time_zone,
        case when event_id is null then md5(line)::uuid else id_key(event_id, event_uuid) end as event_key,
        event_id is not null as has_event_id,
        id_key(inference_id, inference_uuid) as inference_key,
        id_text(inference_id, inference_uuid) as inference_text,
        payload_key(input.data, input.encoding) as input_key,
        input_values(input.data, input.encoding, $slice_columns, $slice_paths) as input_slices,
        input.observedContentType as input_content_type,
        output.observedContentType as output_content_type,
        output.encoding as output_encoding,
        output.data as output_data
    from named
    where
        captured_at is not null
        and not repeats_key(line)
)

select * from capture_unusual;
