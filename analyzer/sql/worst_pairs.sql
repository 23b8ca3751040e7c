-- Which pairs differ most?
-- reads   worst_predictions
-- gives   at most 100 pairs; the row of a payload that differs most
-- params  $named: labels that are named, null for all; $rare: what the others are called
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
    case
        when production_label is null then production_score::varchar
        when $named::varchar[] is null or list_contains($named::varchar[], left(production_label, 64))
            then left(production_label, 64)
        else $rare
    end as production_value,
    case
        when shadow_label is null then shadow_score::varchar
        when $named::varchar[] is null or list_contains($named::varchar[], left(shadow_label, 64))
            then left(shadow_label, 64)
        else $rare
    end as shadow_value,
    difference
from one_a_pair
order by rank;
