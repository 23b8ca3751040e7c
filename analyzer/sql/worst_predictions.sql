-- Which predictions differ most?
-- reads   predictions, pairs
-- gives   worst_predictions: of the 20,000 that differ most those of the 100 worst pairs, numbers and
--         labels only, with what names their pair
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

worst as (
    select pair_id
    from rows_ranked
    qualify row_number() over (
        partition by pair_id
        order by difference desc, flipped desc, row_index
    ) = 1
    order by difference desc, flipped desc, pair_id
    limit 100
)

select
    rows_ranked.*,
    coalesce(pairs.inference_text, pairs.inference_key::varchar) as inference_id,
    pairs.captured_at
from rows_ranked
semi join worst using (pair_id)
inner join pairs using (pair_id);
