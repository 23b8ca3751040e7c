-- Which requests does an inference ID name on both sides, once each?
-- reads  unpaired_records
-- gives  rows of matches
insert into matches
with requests as (
    select
        count(*) filter (where role = 'production') as production_events,
        count(*) filter (where role = 'shadow') as shadow_events,
        min(record_id) filter (where role = 'production') as production_id,
        min(record_id) filter (where role = 'shadow') as shadow_id
    from unpaired_records
    where inference_id is not null
    group by inference_id
),

matches as (
    select
        production_id,
        shadow_id,
        'inference_id' as paired_by
    from requests
    where production_events = 1 and shadow_events = 1
)

select * from matches;
