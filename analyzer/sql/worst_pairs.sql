-- Which pairs differ most?
-- reads   predictions, pairs
-- gives   at most 100 pairs, numbers and labels only; the row of a payload that differs most
with
rows_ranked as (
    select
        pair_id,
        row_index,
        production_score,
        shadow_score,
        production_label,
        shadow_label,
        coalesce(difference, flipped::double) as difference,
        coalesce(flipped, false) as flipped
    from predictions
    where code = 'same'
        and (flipped or difference > 0)
    order by difference desc, flipped desc, pair_id, row_index
    -- a payload of many rows could fill the list alone
    limit 20000
),

one_a_pair as (
    select *
    from rows_ranked
    qualify row_number() over (
        partition by pair_id
        order by difference desc, flipped desc, row_index
    ) = 1
    order by difference desc, flipped desc, pair_id
    limit 100
)

select
    row_number() over (
        order by one_a_pair.difference desc, one_a_pair.flipped desc, one_a_pair.pair_id
    ) as rank,
    one_a_pair.pair_id::varchar as pair_id,
    coalesce(pairs.inference_text, pairs.inference_key::varchar) as inference_id,
    pairs.captured_at,
    coalesce(left(production_label, 64), production_score::varchar) as production_value,
    coalesce(left(shadow_label, 64), shadow_score::varchar) as shadow_value,
    one_a_pair.difference
from one_a_pair
inner join pairs using (pair_id)
order by rank;
