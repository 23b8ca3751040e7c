-- What did production answer where the shadow has no record?
-- reads   records, duplicates, matches
-- gives   missing_outputs(record_id, bytes, text): text is null where SQL cannot decode it
-- params  $start, $end: the window, half open, UTC
with unpaired_production as (
    select
        record_id,
        output_data,
        output_encoding
    from records
    anti join duplicates using (record_id)
    where role = 'production'
        and captured_at >= $start
        and captured_at < $end
        and record_id not in (
            select production_id
            from matches
        )
)

select
    record_id,
    strlen(output_data) as bytes,
    output_text(output_data, output_encoding) as text
from unpaired_production;
