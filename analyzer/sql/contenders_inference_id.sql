-- Which records share an inference ID that names several events?
-- reads  unpaired_records
-- gives  contenders: scope holds the records that may pair, equal payload within one ID
create or replace table contenders as
with shared as (
    select inference_id
    from unpaired_records
    where inference_id is not null
    group by inference_id
    having count(distinct role) = 2
),

contenders as (
    select
        record_id,
        role = 'shadow' as is_shadow,
        md5_number(coalesce(input_key::varchar, 'none') || ' ' || inference_id) as scope,
        epoch_us(captured_at) // 1000000 as second,
        event_id,
        line_md5
    from unpaired_records
    semi join shared using (inference_id)
)

select * from contenders;
