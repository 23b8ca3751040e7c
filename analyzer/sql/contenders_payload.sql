-- Which records may pair by payload alone? A record with an inference ID may only when the other
-- variant carries none at all: otherwise its ID already says which request it was.
-- reads   unpaired
-- gives   rows of contenders: scope holds the records that may pair, equal payload
-- params  $ids_rule: whether inference IDs decide pairs in this run
--         $production_carries_ids, $shadow_carries_ids: as pair_carriers found
with
pool as (
    select *
    from unpaired
    where
        input_key is not null
        and (
            not $ids_rule
            or inference_key is null
            or not if(role = 'production', $shadow_carries_ids, $production_carries_ids)
        )
),

shared as (
    select input_key
    from pool
    group by input_key
    having count(distinct role) = 2
),

contenders as (
    select
        record_id,
        role = 'shadow' as is_shadow,
        input_key,
        epoch_us(captured_at) // 1000000 as second,
        event_key
    from pool
    semi join shared using (input_key)
)

select
    record_id,
    is_shadow,
    0::ubigint as scope_upper,
    input_key as scope_lower,
    second,
    event_key
from contenders;
