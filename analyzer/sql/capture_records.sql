-- What do these lines say, read the fast way? Captures as SageMaker writes them are read whole; a
-- line without a time or payload where they are expected has a null time, and is read again, more
-- carefully, by capture_unusual and capture_rejects. So has one that repeats a key, if it is among
-- those that are looked at for it: one in 64, by its event ID, because looking costs a parse more.
-- reads  lines(object_number, line_number, unterminated, line), lent
-- params $slice_columns, $slice_paths: see input_values
-- gives  one row a line: capture records, or a null captured_at. No filter here: it would make the
--        engine parse every line twice
with
parsed as (
    select
        object_number,
        line_number,
        line,
        try(json_extract_string(line, [
            '$.captureData.endpointInput.data',
            '$.captureData.endpointInput.encoding',
            '$.captureData.endpointInput.observedContentType',
            '$.captureData.endpointOutput.data',
            '$.captureData.endpointOutput.encoding',
            '$.captureData.endpointOutput.observedContentType',
            '$.eventMetadata.eventId',
            '$.eventMetadata.inferenceId',
            '$.eventMetadata.inferenceTime'
        ])) as field
    from lines
),

named as (
    select
        object_number,
        line_number,
        line,
        field[1] as input_data,
        field[2] as input_encoding,
        field[3] as input_content_type,
        field[4] as output_data,
        field[5] as output_encoding,
        field[6] as output_content_type,
        nullif(field[7], '') as event_id,
        nullif(field[8], '') as inference_id,
        field[9] as inference_time
    from parsed
),

identified as (
    select
        *,
        try_cast(event_id as uuid) as event_uuid,
        try_cast(inference_id as uuid) as inference_uuid
    from named
),

capture_records as (
    select
        object_number::integer as object_number,
        line_number::integer as line_number,
        case
            when hash(coalesce(event_id, line)) % 64 = 0 and repeats_key(line) then null
            when input_data is not null or output_data is not null then utc_time(inference_time)
        end as captured_at,
        has_time_zone(inference_time) as has_time_zone,
        case when event_id is null then md5(line)::uuid else id_key(event_id, event_uuid) end as event_key,
        event_id is not null as has_event_id,
        id_key(inference_id, inference_uuid) as inference_key,
        id_text(inference_id, inference_uuid) as inference_text,
        payload_key(input_data, input_encoding) as input_key,
        case when len($slice_columns::integer[]) > 0
            then input_values(input_data, input_encoding, $slice_columns, $slice_paths)
        end as input_slices,
        input_content_type,
        output_content_type,
        output_encoding,
        output_data
    from identified
)

select * from capture_records;
