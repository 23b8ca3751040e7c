-- Which value has each pair in each slice that the policy names?
-- reads   pairs
-- gives   slice_values(pair_id, input_key, slice, fate, value): fate is "value", or why there is none:
--         missing, unreadable, several (rows of one request that differ)
-- params  $names: slices by input, in the order of input_slices; $by_hour, $by_content_type: whether
with
inputs as (
    select
        pair_id,
        input_key,
        unnest($names::varchar[]) as slice,
        unnest(input_slices) as found
    from pairs
    where len($names::varchar[]) > 0
),

slice_values as (
    select
        pair_id,
        input_key,
        slice,
        found.fate as fate,
        found."value" as "value"
    from inputs
    union all
    select
        pair_id,
        input_key,
        'hour' as slice,
        'value' as fate,
        strftime(captured_at, '%H') as "value"
    from pairs
    where $by_hour
    union all
    select
        pair_id,
        input_key,
        'content_type' as slice,
        if(coalesce(input_content_type, '') = '', 'missing', 'value') as fate,
        nullif(short_value(input_content_type), '') as "value"
    from pairs
    where $by_content_type
)

select * from slice_values;
