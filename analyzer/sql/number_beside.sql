-- How far is the number that sampled answers hold beside their labels from production's?
-- reads   document_sample
-- gives   one row: beside_numbers of production in answers that hold as many in both variants,
--         or none in the shadow;
--         beside_apart, those from which the shadow's is over their standard deviation away, or no
--         number; beside_squares is the sum of squared counts per distinct input
-- params  $json_path: the number's place in the list holding the document
--         $atol, $rtol: nothing within them is apart
with
documents as (
    select
        pair_id,
        input_key,
        '[' || if(
            json_valid(production_document),
            production_document,
            regexp_replace(production_document, '\s*\n\s*', ',', 'g')
        ) || ']' as production,
        '[' || if(
            json_valid(shadow_document),
            shadow_document,
            regexp_replace(shadow_document, '\s*\n\s*', ',', 'g')
        ) || ']' as shadow
    from document_sample
    where production_document[1] in ('{', '[')
        and shadow_document[1] in ('{', '[')
),

found as (
    select
        pair_id,
        input_key,
        json_extract(production, $json_path)::varchar[] as production,
        json_extract(shadow, $json_path)::varchar[] as shadow
    from documents
    where json_valid(production)
        and json_valid(shadow)
),

cells as (
    select
        pair_id,
        input_key,
        unnest(range(len(production))) as place,
        unnest(production) as production_cell,
        unnest(shadow) as shadow_cell
    from found
    where len(production) = len(shadow)
        or len(shadow) = 0
),

numbers as (
    select
        *,
        try_cast(unquoted(production_cell) as double) as production,
        try_cast(unquoted(shadow_cell) as double) as shadow
    from cells
    where isfinite(production)
        and abs(production) < 1e100
),

spread as (  -- of an ordered list, so that every run adds in one order
    select list_stddev_pop(list(production order by pair_id, place)) as far
    from numbers
),

compared as (
    select
        pair_id,
        input_key,
        not coalesce(isfinite(shadow), false)
            or abs(shadow - production) > greatest(far, $atol + $rtol * abs(production)) as apart
    from numbers, spread
),

inputs as (
    select count(*) as numbers
    from compared
    group by
        input_key,
        case when input_key is null then pair_id end
)

select
    count(*) as beside_numbers,
    count(*) filter (where apart) as beside_apart,
    (select coalesce(sum(numbers * numbers), 0) from inputs)::bigint as beside_squares
from compared;
