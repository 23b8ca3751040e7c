-- Which of these lines are no capture records, and why?
-- reads  lines(object_id, is_shadow, line_number, unterminated, line), lent
-- gives  rows of rejects: exactly the lines that capture_records leaves out
insert into rejects
with parsed as (
    select
        *,
        capture_record(line) as record
    from lines
),

coded as (
    select
        *,
        case
            when record is null and not coalesce(try(json_valid(line)), false)
                then if(unterminated, 'malformed.truncated', 'malformed.invalid-json')
            when coalesce(try(json_type(line)), '') <> 'OBJECT'
                then 'not_capture.not-an-object'
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

rejects as (
    select
        code,
        if(is_shadow = 1, 'shadow', 'production') as role,
        object_id,
        line_number,
        md5_number(line) as line_md5,
        sha256(line) as line_sha256,
        strlen(line) as line_bytes
    from coded
    where code is not null
)

select * from rejects;
