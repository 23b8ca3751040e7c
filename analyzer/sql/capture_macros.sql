-- How is one line of a capture read?
-- reads  nothing
-- gives  macros
-- The parts of a capture record that are read; every other key is ignored. A value that should be
-- text and is not keeps its JSON text. Anything that is not valid JSON gives null.
create or replace temp macro capture_record(line) as try(json_transform(line, '{
    "captureData": {
        "endpointInput": {"data": "VARCHAR", "encoding": "VARCHAR", "observedContentType": "VARCHAR"},
        "endpointOutput": {"data": "VARCHAR", "encoding": "VARCHAR", "observedContentType": "VARCHAR"}
    },
    "eventMetadata": {"eventId": "VARCHAR", "inferenceId": "VARCHAR", "inferenceTime": "VARCHAR"}
}'));

-- Whether an object of those that are read names a key twice; which of the values is meant, nobody
-- can say. A payload's own objects are its model's to judge.
create or replace temp macro repeats_key(line) as coalesce(
    list_bool_or(
        list_transform(
            try(json_keys(line, [
                '$',
                '$.captureData',
                '$.captureData.endpointInput',
                '$.captureData.endpointOutput',
                '$.eventMetadata'
            ])),
            lambda keys: len(keys) > len(list_distinct(keys))
        )
    ),
    false
);

-- ISO 8601 -> UTC; text without an offset is taken as UTC. The pattern keeps out what the cast
-- would also accept: "infinity", "epoch", bare dates, offsets of a hundred hours. SageMaker's own
-- form is read without it, in half the time.
create or replace temp macro utc_time(text) as case
    when strlen(text) = 20 and starts_with(text, '20') and suffix(text, 'Z')
        then try_strptime(text, '%Y-%m-%dT%H:%M:%SZ')
    when regexp_full_match(
        text,
        '2[01]\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-][01]\d(:?[0-5]\d)?)?'
    ) then make_timestamp(epoch_us(try_cast(text as timestamptz)))
end;

create or replace temp macro has_time_zone(text) as case
    when suffix(text, 'Z') then true
    else regexp_matches(text, '[+-]\d\d(:?\d\d)?$')
end;

-- The bytes a payload stood for, whichever encoding they were captured in, as one number.
create or replace temp macro payload_key(data, encoding) as case
    when data is null then null
    when upper(encoding) = 'BASE64' then hash(coalesce(try(from_base64(data)), encode(data)))
    else hash(encode(data))
end;

-- An ID as sixteen bytes: a UUID in its usual spelling is itself, any other text its digest.
create or replace temp macro id_key(text) as case
    when try_cast(text as uuid)::varchar = text then try_cast(text as uuid)
    else md5(text)::uuid
end;

-- The text that its key does not give back.
create or replace temp macro id_text(text) as case
    when try_cast(text as uuid)::varchar = text then null
    else text
end;
