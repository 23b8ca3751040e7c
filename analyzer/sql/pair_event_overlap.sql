-- Do the two variants share event IDs? AWS does not say; the data do.
-- reads  kept_records
-- gives  event_overlap(shadow_events, shared_events), records with an event ID
with
production_events as (
    select event_key
    from kept_records
    where role = 'production' and has_event_id
),

shadow_events as (
    select event_key
    from kept_records
    where role = 'shadow' and has_event_id
),

shared_events as (
    select event_key
    from shadow_events
    semi join production_events using (event_key)
),

event_overlap as (
    select
        (select count(*) from shadow_events) as shadow_events,
        (select count(*) from shared_events) as shared_events
)

select * from event_overlap;
