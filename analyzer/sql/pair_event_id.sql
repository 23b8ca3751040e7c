-- Which records carry the same event ID, and no inference IDs that disagree?
-- reads  unpaired_records
-- gives  rows of matches
insert into matches
with production as (
    select *
    from unpaired_records
    where role = 'production'
),

shadow as (
    select *
    from unpaired_records
    where role = 'shadow'
),

matches as (
    select
        production.record_id as production_id,
        shadow.record_id as shadow_id,
        'event_id' as paired_by
    from production
    inner join shadow on production.event_id = shadow.event_id
    where coalesce(production.inference_id = shadow.inference_id, true)
)

select * from matches;
