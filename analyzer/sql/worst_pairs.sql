-- Which pairs differ most?
-- reads   worst_predictions
-- gives   at most 100 pairs; the row of a payload that differs most
with
one_a_pair as (
    select *
    from worst_predictions
    qualify row_number() over (
        partition by pair_id
        order by difference desc, flipped desc, row_index
    ) = 1
    order by difference desc, flipped desc, pair_id
    limit 100
)

select
    row_number() over (order by difference desc, flipped desc, pair_id) as rank,
    pair_id::varchar as pair_id,
    inference_id,
    captured_at,
    coalesce(left(production_label, 64), production_score::varchar) as production_value,
    coalesce(left(shadow_label, 64), shadow_score::varchar) as shadow_value,
    difference
from one_a_pair
order by rank;
