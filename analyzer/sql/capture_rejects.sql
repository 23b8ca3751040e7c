-- Which of these lines are no capture records, and why?
-- reads   lines(object_number, line_number, unterminated, line), lent
--         undecodable: the same columns, line is binary: invalid UTF-8, or NUL bytes; lent
--         oversize(object_number, line_number, line_bytes, line_sha256): longer than the policy
--         reads, hashed on the way past and never held as JSON; lent
-- gives   one row a line: exactly those that neither capture_records nor capture_unusual reads
-- params  $records_file: what the fast way wrote
with
left_over as (
    select
        object_number,
        line_number
    from read_parquet($records_file, hive_partitioning = false)
    where captured_at is null
),

parsed as materialized (
    select
        lines.*,
        capture_record(lines.line) as record
    from lines
    semi join left_over using (object_number, line_number)
),

coded as (
    select
        *,
        case
            when record is null and not coalesce(try(json_valid(line)), false)
                then if(unterminated = 1, 'malformed.truncated', 'malformed.invalid-json')
            when coalesce(try(json_type(line)), '') <> 'OBJECT'
                then 'not_capture.not-an-object'
            when repeats_key(line)
                then 'malformed.repeated-key'
            when record.captureData is null
                then 'not_capture.no-capture-data'
            when
                record.captureData.endpointInput is null
                and record.captureData.endpointOutput is null
                then 'not_capture.no-payload'
            when utc_time(record.eventMetadata.inferenceTime) is null
                then 'not_capture.no-time'
        end as code
    from parsed
),

capture_rejects as (
    select
        code,
        object_number,
        line_number,
        sha256(line) as line_sha256,
        strlen(line) as line_bytes
    from coded
    where code is not null
    union all
    select
        'malformed.invalid-utf8' as code,
        object_number,
        line_number,
        sha256(line) as line_sha256,
        octet_length(line) as line_bytes
    from undecodable
    union all
    select
        'malformed.oversize' as code,
        object_number,
        line_number,
        line_sha256,
        line_bytes
    from oversize
)

select * from capture_rejects;
