-- Which records carry the same event ID, and no inference IDs that disagree?
-- reads  unpaired
-- gives  rows of pairings
with
production as (
    select *
    from unpaired
    where role = 'production' and has_event_id
),

shadow as (
    select *
    from unpaired
    where role = 'shadow' and has_event_id
),

pairings as (
    select
        production.record_id as production_id,
        shadow.record_id as shadow_id,
        production.captured_at as production_at,
        shadow.captured_at as shadow_at,
        'event_id' as paired_by,
        null::uuid as open_key,
        1::bigint as events
    from production
    inner join shadow on production.event_key = shadow.event_key
    where coalesce(production.inference_key = shadow.inference_key, true)
)

select * from pairings;
