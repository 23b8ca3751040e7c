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

-- An ID as sixteen bytes: a UUID in its usual spelling is itself, any other text its digest. The
-- text read as a UUID is given beside it, so that a query reads it once.
create or replace temp macro id_key(text, as_uuid) as case
    when as_uuid::varchar = text then as_uuid
    else md5(text)::uuid
end;

-- The text that its key does not give back.
create or replace temp macro id_text(text, as_uuid) as case
    when as_uuid::varchar = text then null
    else text
end;

-- What the policy slices by, of one input: nothing else of a payload is kept. One of place (a column
-- of CSV, from 1) and path (of JSON) is null. Gives the different values of its rows; null where it
-- cannot be read. A plain line, as most are, is read without lists of rows.
create or replace temp macro found_values(text, place, path) as case
    when text is null then null
    when path is not null
        then case when json_valid(text) then [coalesce(json_extract_string(text, path), '')] end
    when starts_with(text, '{') or starts_with(text, '[') then null
    when instr(text, E'\n') in (0, length(text)) and not contains(text, '"')
        then [split_part(text, ',', place)]
    else list_distinct(list_transform(
        list_filter(string_split(text, E'\n'), lambda line: trim(line, E' \r\t') <> ''),
        lambda line: coalesce(trim(csv_cells(line)[place], E' \r\t"'), '')
    ))
end;

create or replace temp macro csv_cells(line) as case
    -- with a comma before the first, every cell has one: no match is empty, and none is skipped
    when contains(line, '"') then regexp_extract_all(',' || line, ',("(?:[^"]|"")*"|[^,]*)', 1)
    else string_split(line, ',')
end;

-- Long values are shortened so that no two become one.
create or replace temp macro short_value(text) as case
    when length(text) > 64 then left(text, 55) || '~' || left(md5(text), 8)
    else text
end;

-- A request of several rows has one value only where all of them agree.
create or replace temp macro one_value(found) as case
    when found is null then struct_pack(fate := 'unreadable', "value" := null::varchar)
    when len(found) > 1 then struct_pack(fate := 'several', "value" := null::varchar)
    when coalesce(trim(found[1], E' \r\t\n'), '') = ''
        then struct_pack(fate := 'missing', "value" := null::varchar)
    else struct_pack(fate := 'value', "value" := short_value(trim(found[1], E' \r\t\n')))
end;

create or replace temp macro input_values(data, encoding, places, paths) as list_transform(
    list_transform(
        range(len(places::integer[])),
        lambda number: case
            when data is null then ['']
            when upper(encoding) = 'BASE64' then found_values(
                try(decode(from_base64(data))),
                (places::integer[])[number + 1],
                (paths::varchar[])[number + 1]
            )
            else found_values(
                data,
                (places::integer[])[number + 1],
                (paths::varchar[])[number + 1]
            )
        end
    ),
    lambda found: one_value(found)
);
