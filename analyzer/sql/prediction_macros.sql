-- How is an output read, whatever way the capture wrote it down?
-- reads   nothing
-- gives   macro output_text(data, encoding): the text, trimmed of white space and byte order
--         mark. BASE64 that is not UTF-8 text stays as captured; prediction_binary picks it up
--         macro csv_rows(text, chosen): the chosen column (from 1) of every line that is not
--         blank, the whole line when chosen is null; null for an empty text
--         macro label_text(cell): a label without quotes; 1, 1.0 and 1.00 are one, as are 0 and -0,
--         and each way to write what is no finite number
--         macro vector_class(vector): finite, non-finite, or other (not a list of numbers)
--         macro document_signature(text, json_path): what must stay alike in a document
--         macro is_json(text): whether it is a JSON object or list
--         macro held_text(text, json_path): the text a JSON document holds there, one a line; the
--         text itself where it is no such document
--         macro leaf_kind(type): number, string, boolean, null, array or object
--         macro field_code(production, shadow, paths, kinds): field-missing or field-type where the
--         shadow's object lacks what production's has, each path being of one of its kinds; else null
--         macro field_codes(production, shadow, paths, kinds): the same of two lists of objects
--         macro relabelled(production, shadow, paths): whether one of the labels that both lists of
--         objects hold there differs; null where there is none
--         macro score_bucket(score): sixteenths of a logit, which keep rare scores apart
--         macro quantity_bucket(value, centre, spread): 64ths of a spread near the centre, of a
--         factor e far from it
create or replace temp macro trimmed(text) as
    case
        -- trim() with a set of characters costs as much as all the rest: first the usual endings
        when text >= '!' and text[-1] > ' ' and not starts_with(text, E'\uFEFF') then text
        when text >= '!' and suffix(text, E'\n') and text[-2] > ' '
            and not starts_with(text, E'\uFEFF') then left(text, -1)
        else trim(text, E' \n\r\t\f\v\uFEFF')
    end;

create or replace temp macro unquoted(text) as
    case when starts_with(text, '"') or suffix(text, '"') then trim(text, '"') else text end;

create or replace temp macro output_text(data, encoding) as
    trimmed(
        case
            when encoding = 'BASE64' then coalesce(try(decode(from_base64(data))), data)
            else data
        end
    );

create or replace temp macro csv_rows(text, chosen) as
    case
        when text = '' then null
        when chosen is null and not contains(text, E'\n') then [unquoted(text)]
        else list_transform(
            list_filter(string_split(text, E'\n'), lambda line: trim(line, E' \r\t') <> ''),
            lambda line: trim(
                case when chosen is null then line else string_split(line, ',')[chosen] end,
                E' \r\t"'
            )
        )
    end;

create or replace temp macro label_text(cell) as
    -- a label is a name: 00012 is not 12, nor 1E3 1000, nor 250.10 250.1
    case
        when suffix(cell, '0') then unquoted(
            regexp_replace(cell, '^(?:-?(0)(?:\.0+)?|(-?[1-9][0-9]*)\.0+)$', '\1\2')
        )
        when regexp_full_match(cell, '(?i)[+-]?(nan|inf|infinity)')
            then try_cast(try_cast(cell as double) as varchar)
        else unquoted(cell)
    end;

create or replace temp macro vector_class(vector) as
    case
        when vector is null or vector = [] then 'other'
        when len(list_filter(vector, lambda number: number is null)) > 0 then 'other'
        when len(list_filter(vector, lambda number: isfinite(number) and abs(number) < 1e100))
            < len(vector) then 'non-finite'
        else 'finite'
    end;

create or replace temp macro document_signature(text, json_path) as
    case
        when text = '' then null
        when text[1] not in ('{', '[') then 'text'
        when not json_valid('[' || text || ']') then 'text'
        when json_path is not null
            then case when json_extract('[' || text || ']', json_path) <> [] then 'found' end
        when json_type(text) = 'OBJECT'
            then 'object:' || to_json(list_sort(json_keys(text)))::varchar
        else 'array:' || json_array_length(text)
    end;

create or replace temp macro score_bucket(score) as
    case
        when score <= 0 then -256
        when score >= 1 then 256
        else greatest(-255, least(255, floor(16 * ln(score / (1 - score)))))
    end::integer;

create or replace temp macro quantity_bucket(value, centre, spread) as
    greatest(-64_000, least(64_000, floor(64 * asinh((value - centre) / spread))))::integer;

create or replace temp macro is_json(text) as text[1] in ('{', '[') and json_valid(text);

create or replace temp macro held_text(text, json_path) as
    case
        when json_path is null or not is_json(text) then text
        else coalesce(
            array_to_string(json_extract_string('[' || text || ']', json_path), E'\n'),
            ''
        )
    end;

create or replace temp macro leaf_kind(type) as
    case
        when type in ('UBIGINT', 'BIGINT', 'HUGEINT', 'DOUBLE') then 'number'
        when type = 'VARCHAR' then 'string'
        else lower(type)
    end;

create or replace temp macro relabelled(production, shadow, paths) as
    case when paths <> [] and len(production) = len(shadow) then list_bool_or(list_transform(
        list_zip(production, shadow),
        lambda pair: json_extract_string(pair[1], paths) <> json_extract_string(pair[2], paths)
    )) end;

create or replace temp macro misfit(types, kinds) as
    case
        when len(list_filter(types, lambda kind: kind is null)) > 0 then 'field-missing'
        when len(list_filter(
            list_zip(types, kinds),
            lambda field: not list_contains(field[2], leaf_kind(field[1]))
        )) > 0 then 'field-type'
    end;

create or replace temp macro field_code(production, shadow, paths, kinds) as
    case
        -- nearly always
        when json_type(production, paths) = json_type(shadow, paths) then null
        when misfit(json_type(production, paths), kinds) is null
            then misfit(json_type(shadow, paths), kinds)
    end;

create or replace temp macro field_codes(production, shadow, paths, kinds) as
    case when paths <> [] and len(production) = len(shadow) then list_min(list_transform(
        list_zip(production, shadow),
        lambda pair: field_code(pair[1], pair[2], paths, kinds)
    )) end;

-- counting the key in the text is cheap, and tells of nearly all documents that it is named once each
create or replace temp macro named_twice(text, document, found, json_key, owners) as
    json_key is not null
    and found is not null
    and (len(text) - len(replace(text, json_key, ''))) > len(json_key) * len(found)
    and len(list_filter(
        json_extract(document, owners),
        lambda owner: json_type(owner) = 'OBJECT'
            and len(list_filter(json_keys(owner), lambda key: to_json(key)::varchar = json_key)) > 1
    )) > 0;
