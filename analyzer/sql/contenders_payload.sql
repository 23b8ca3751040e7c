-- Which records may pair by payload alone? A record with an inference ID may only when the other
-- variant carries none at all: otherwise its ID already says which request it was.
-- reads   unpaired_records, kept_records
-- gives   contenders: scope holds the records that may pair, equal payload
-- params  $ids_rule: whether inference IDs decide pairs in this run
create or replace table contenders as
with carriers as (
    select
        bool_or(role = 'production') as production_carries_ids,
        bool_or(role = 'shadow') as shadow_carries_ids
    from kept_records
    where inference_id is not null
),

pool as (
    select unpaired_records.*
    from unpaired_records, carriers
    where
        input_key is not null
        and (
            not $ids_rule
            or inference_id is null
            or not coalesce(
                if(role = 'production', shadow_carries_ids, production_carries_ids), false
            )
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
        input_key as scope,
        epoch_us(captured_at) // 1000000 as second,
        event_id,
        line_md5
    from pool
    semi join shared using (input_key)
)

select * from contenders;
