-- Which values does each output hold, one a row of the payload? A document and JSON Lines read
-- alike: both become one list of documents. Where a key is named twice nobody can say which value
-- callers take.
-- reads   prediction_texts
-- gives   prediction_values: form is "json" or "csv"; rows is null where nothing could be read;
--         field_code says what the shadow's document lacks, relabelled whether labels beside the
--         values differ
-- params  $json_path: path of the values in the list of documents
--         $json_rows: path of what holds one value each; as many values must be found
--         $json_key: the quoted key of the values, null where they have none; $json_owners: path of
--         the objects that have it
--         $csv_column: 1-based column, null for the whole line
--         $document_fields, $row_fields: paths of what every document, and what holds one value
--         each, has beside it; $document_kinds, $row_kinds: of which types; $document_labels,
--         $row_labels: those that are labels
with
forms as (
    select
        pair_id,
        input_key,
        captured_at,
        production_text,
        shadow_text,
        case when production_text[1] in ('{', '[') then 'json' else 'csv' end as production_form,
        case when shadow_text[1] in ('{', '[') then 'json' else 'csv' end as shadow_form
    from prediction_texts
),

documents as (
    select
        *,
        case
            when production_form = 'csv' then null
            when json_valid(production_text) then '[' || production_text || ']'
            else '[' || regexp_replace(production_text, '\s*\n\s*', ',', 'g') || ']'
        end as production_document,
        case
            when shadow_form = 'csv' then null
            when json_valid(shadow_text) then '[' || shadow_text || ']'
            else '[' || regexp_replace(shadow_text, '\s*\n\s*', ',', 'g') || ']'
        end as shadow_document
    from forms
),

valid as (
    select
        * replace (
            case when json_valid(production_document) then production_document end
                as production_document,
            case when json_valid(shadow_document) then shadow_document end as shadow_document
        )
    from documents
),

found as (
    select
        *,
        json_extract(production_document, $json_path)::varchar[] as production_found,
        json_extract(shadow_document, $json_path)::varchar[] as shadow_found
    from valid
),

clear as (
    select
        * replace (
            case
                when not named_twice(
                    production_text, production_document, production_found, $json_key, $json_owners
                ) then production_found
                else []
            end as production_found,
            case
                when not named_twice(
                    shadow_text, shadow_document, shadow_found, $json_key, $json_owners
                ) then shadow_found
                else []
            end as shadow_found
        )
    from found
),

prediction_values as (
    select
        pair_id,
        input_key,
        captured_at,
        production_text is null as production_absent,
        shadow_text is null as shadow_absent,
        production_text = shadow_text as identical,
        production_form,
        shadow_form,
        case when production_text <> shadow_text then coalesce(
            field_codes(
                json_extract(production_document, '$[*]'),
                json_extract(shadow_document, '$[*]'),
                $document_fields::varchar[],
                $document_kinds::varchar[][]
            ),
            field_codes(
                json_extract(production_document, $json_rows),
                json_extract(shadow_document, $json_rows),
                $row_fields::varchar[],
                $row_kinds::varchar[][]
            )
        ) end as field_code,
        greatest(
            relabelled(
                json_extract(production_document, '$[*]'),
                json_extract(shadow_document, '$[*]'),
                $document_labels::varchar[]
            ),
            relabelled(
                json_extract(production_document, $json_rows),
                json_extract(shadow_document, $json_rows),
                $row_labels::varchar[]
            )
        ) as relabelled,
        case
            when production_form = 'csv' then csv_rows(production_text, $csv_column)
            when production_found = [] then null
            when $json_path = $json_rows then production_found
            when len(production_found) = len(json_extract(production_document, $json_rows))
                then production_found
        end as production_rows,
        case
            when shadow_form = 'csv' then csv_rows(shadow_text, $csv_column)
            when shadow_found = [] then null
            when $json_path = $json_rows then shadow_found
            when len(shadow_found) = len(json_extract(shadow_document, $json_rows))
                then shadow_found
        end as shadow_rows
    from clear
)

select * from prediction_values;
