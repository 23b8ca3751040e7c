-- The empty tables that captures fill.
-- reads  nothing
-- gives  records     one row a usable capture record
--        rejects     one row a line that is none, with the reason
--        duplicates  records that repeat an event already captured
--        matches     production and shadow records of one request
create table records (
    record_id bigint,
    role varchar,
    object_id integer,
    line_number bigint,
    line_md5 uhugeint,
    line_bytes bigint,
    inference_id varchar,
    event_id varchar,
    captured_at timestamp,
    has_time_zone boolean,
    input_key uhugeint,
    input_bytes bigint,
    input_content_type varchar,
    output_content_type varchar,
    output_encoding varchar,
    output_data varchar
);

create table rejects (
    code varchar,
    role varchar,
    object_id integer,
    line_number bigint,
    line_md5 uhugeint,
    line_sha256 varchar,
    line_bytes bigint
);

create table duplicates (
    record_id bigint
);

create table matches (
    production_id bigint,
    shadow_id bigint,
    paired_by varchar
);

-- The parts of a capture record that are read; every other key is ignored. A value that should be
-- text and is not keeps its JSON text. Anything that is not valid JSON gives null.
create macro capture_record(line) as try(json_transform(line, '{
    "captureData": {
        "endpointInput": {"data": "VARCHAR", "encoding": "VARCHAR", "observedContentType": "VARCHAR"},
        "endpointOutput": {"data": "VARCHAR", "encoding": "VARCHAR", "observedContentType": "VARCHAR"}
    },
    "eventMetadata": {"eventId": "VARCHAR", "inferenceId": "VARCHAR", "inferenceTime": "VARCHAR"}
}'));

-- ISO 8601 -> UTC; text without an offset is taken as UTC. The pattern keeps out what the cast
-- would also accept: "infinity", "epoch", bare dates, offsets of a hundred hours.
create macro utc_time(text) as case
    when regexp_full_match(
        text,
        '2[01]\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-][01]\d(:?[0-5]\d)?)?'
    ) then make_timestamp(epoch_us(try_cast(text as timestamptz)))
end;

create macro has_time_zone(text) as regexp_matches(text, '(Z|[+-]\d\d(:?\d\d)?)$');

-- The bytes a payload stood for, whichever encoding they were captured in.
create macro payload_bytes(data, encoding) as case
    when upper(encoding) = 'BASE64' then coalesce(try(from_base64(data)), encode(data))
    else encode(data)
end;
