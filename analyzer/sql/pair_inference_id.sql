-- Which requests does an inference ID name on both sides, once each?
-- reads  unpaired
-- gives  rows of pairings, one an ID: open_key is set where the ID does not name one record on
--        either side, and events is how many one variant used it for
with
requests as (
    select
        inference_key,
        count(*) filter (where role = 'production') as production_events,
        count(*) filter (where role = 'shadow') as shadow_events,
        min(record_id) filter (where role = 'production') as production_id,
        min(record_id) filter (where role = 'shadow') as shadow_id,
        min(captured_at) filter (where role = 'production') as production_at,
        min(captured_at) filter (where role = 'shadow') as shadow_at
    from unpaired
    where inference_key is not null
    group by inference_key
),

pairings as (
    select
        production_id,
        shadow_id,
        production_at,
        shadow_at,
        'inference_id' as paired_by,
        case when production_events <> 1 or shadow_events <> 1 then inference_key end as open_key,
        greatest(production_events, shadow_events) as events
    from requests
)

select * from pairings;
