-- How alike are the sampled texts, how long, and are they JSON?
-- reads   document_sample
-- gives   one row; fixed-point sums as text; input_squares is the sum of squared counts per distinct
--         input
-- params  $longest: characters of a text that are compared; $scale, $square_scale: steps per unit
with
measured as (
    select
        pair_id,
        input_key,
        production = shadow as equal,
        left(production, $longest) as production_start,
        left(shadow, $longest) as shadow_start,
        greatest(length(production), length(shadow)) > $longest as cut,
        ln((strlen(shadow) + 1) / (strlen(production) + 1)) as longer,
        is_json(production) as production_json,
        is_json(shadow) as shadow_json
    from document_sample
),

compared as (
    select
        *,
        case
            when production_start = shadow_start then 1.0
            else 1 - levenshtein(production_start, shadow_start)
                / greatest(strlen(production_start), strlen(shadow_start))
        end as likeness
    from measured
),

inputs as (
    select count(*) as pairs
    from compared
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
from compared;
