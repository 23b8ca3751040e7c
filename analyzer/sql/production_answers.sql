-- What did production answer, with a record of the shadow and without one?
-- reads   records, duplicates, matches, pairs
-- gives   production_answers(hour, has_pair, bytes, score_bucket, label): a row each record that $by
--         could have paired; hours since 1970; bucket or label of the first prediction of a request,
--         null where SQL cannot read one. Nothing here depends on what the shadow answered
-- params  $start, $end: the window, half open, UTC
--         $by: the rule that pairs, which a record without an inference ID or an input has no part in
--         $kind, $json_path, $csv_column: of the outputs, as in prediction_values
--         $centre, $spread: as in score_cells
with
answers as (
    select
        captured_at,
        false as has_pair,
        output_data as data,
        output_encoding as encoding
    from records
    anti join duplicates using (record_id)
    where role = 'production'
        and captured_at >= $start
        and captured_at < $end
        and record_id not in (
            select production_id
            from matches
        )
        and case $by
            when 'inference_id' then inference_key is not null
            when 'payload' then input_key is not null
            else true
        end
    union all
    select
        captured_at,
        true as has_pair,
        production_data as data,
        production_encoding as encoding
    from pairs
    where
        paired_by = $by
        or $by = 'event_id' and paired_by = 'inference_id'
),

texts as (
    select
        epoch_us(captured_at) // 3_600_000_000 as hour,
        has_pair,
        strlen(data) as bytes,
        case when $kind in ('probability', 'regression', 'label', 'multiclass')
            then output_text(data, encoding)
        end as text
    from answers
),

cells as (
    select
        *,
        text[1] not in ('{', '[') as is_csv,
        case
            when is_csv then csv_rows(text, $csv_column)
            when json_valid('[' || text || ']')
                then json_extract('[' || text || ']', $json_path)::varchar[]
            when json_valid('[' || regexp_replace(text, '\s*\n\s*', ',', 'g') || ']')
                then json_extract(
                    '[' || regexp_replace(text, '\s*\n\s*', ',', 'g') || ']', $json_path
                )::varchar[]
        end[1] as cell
    from texts
),

predictions as (
    select
        *,
        case when $kind in ('probability', 'regression') then try_cast(cell as double) end as score,
        case when $kind = 'multiclass'
            then try_cast(if(is_csv, '[' || cell || ']', cell) as double[])
        end as vector
    from cells
)

select
    hour,
    has_pair,
    bytes,
    case
        when not isfinite(score) or abs(score) >= 1e100 then null
        when $kind = 'probability' then score_bucket(score)
        else quantity_bucket(score, $centre, $spread)
    end as score_bucket,
    case $kind
        when 'label' then label_text(cell)
        when 'multiclass' then (list_position(vector, list_max(vector)) - 1)::varchar
    end as label
from predictions;
