-- How far are the sampled lists apart, in all and in direction? A distance of more than 1 000 times
-- production's length counts as that; a list of zeros has no direction.
-- reads   vector_sample
-- gives   one row; fixed-point sums as text; vector_squares is the sum of squared counts per
--         distinct input
-- params  $scale, $square_scale: steps per unit and squared unit
with
lengths as (
    select
        pair_id,
        input_key,
        list_distance(production, shadow) as distance,
        sqrt(list_inner_product(production, production)) as production_length,
        sqrt(list_inner_product(shadow, shadow)) as shadow_length,
        list_inner_product(production, shadow) as product
    from vector_sample
),

compared as (
    select
        *,
        case
            when distance = 0 then 0
            when distance < 1000 * production_length then distance / production_length
            else 1000
        end as relative,
        case when isfinite(product) and production_length > 0 and shadow_length > 0
            then greatest(least(product / production_length / shadow_length, 1), -1)
        end as cosine
    from lengths
),

inputs as (
    select count(*) as vectors
    from compared
    group by
        input_key,
        case when input_key is null then pair_id end
)

select
    count(*) as vectors,
    count(cosine) as directed,
    coalesce(sum(round(relative * $scale)::bigint), 0)::varchar as relative,
    coalesce(sum(round(relative * relative * $square_scale)::bigint), 0)::varchar
        as relative_squares,
    coalesce(sum(round(cosine * $scale)::bigint), 0)::varchar as cosine,
    (select coalesce(sum(vectors * vectors), 0) from inputs)::bigint as vector_squares
from compared;
