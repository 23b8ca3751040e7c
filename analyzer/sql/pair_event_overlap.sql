-- Do the two variants share event IDs? AWS does not say; the data do.
-- reads  kept_records
-- gives  event_overlap(shadow_events, shared_events), records with an event ID
with production_events as (
    select event_id
    from kept_records
    where role = 'production' and event_id is not null
),

shadow_events as (
    select event_id
    from kept_records
    where role = 'shadow' and event_id is not null
),

shared_events as (
    select event_id
    from shadow_events
    semi join production_events using (event_id)
),

event_overlap as (
    select
        (select count(*) from shadow_events) as shadow_events,
        (select count(*) from shared_events) as shared_events
)

select * from event_overlap;
