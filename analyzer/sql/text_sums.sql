-- How alike are the sampled texts, how long, and are they JSON?
-- reads   document_likeness
-- gives   one row; fixed-point sums as text; input_squares is the sum of squared counts per distinct
--         input
-- params  $scale, $square_scale: steps per unit
with
inputs as (
    select count(*) as pairs
    from document_likeness
    group by
        input_key,
        case when input_key is null then pair_id end
)

select
    count(*) as texts,
    count(*) filter (where equal) as equal_texts,
    count(*) filter (where cut) as cut_texts,
    count(*) filter (where production_json and shadow_json) as both_json,
    count(*) filter (where production_json and not shadow_json) as production_json,
    count(*) filter (where shadow_json and not production_json) as shadow_json,
    coalesce(sum(round(likeness * $scale)::bigint), 0)::varchar as likeness,
    coalesce(sum(round(likeness * likeness * $square_scale)::bigint), 0)::varchar
        as likeness_squares,
    coalesce(sum(round(longer * $scale)::bigint), 0)::varchar as longer,
    (select coalesce(sum(pairs * pairs), 0) from inputs)::bigint as input_squares
from document_likeness;
