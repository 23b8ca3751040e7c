-- What became of every record? A pair stands in the window by production's time, a record without
-- a partner by its own.
-- reads   records, duplicates, matches
-- gives   record_fates(record_id, role, captured_at, has_time_zone, fate), fate being duplicate,
--         out_of_window, paired or unpaired
-- params  $start, $end: the window, half open, UTC
create or replace table record_fates as
with pair_times as (
    select
        matches.production_id,
        matches.shadow_id,
        production.captured_at as paired_at
    from matches
    inner join records as production on matches.production_id = production.record_id
),

paired as (
    select
        production_id as record_id,
        paired_at
    from pair_times
    union all
    select
        shadow_id,
        paired_at
    from pair_times
),

record_fates as (
    select
        records.record_id,
        records.role,
        records.captured_at,
        records.has_time_zone,
        case
            when duplicates.record_id is not null then 'duplicate'
            when coalesce(paired.paired_at, records.captured_at) < $start then 'out_of_window'
            when coalesce(paired.paired_at, records.captured_at) >= $end then 'out_of_window'
            when paired.record_id is not null then 'paired'
            else 'unpaired'
        end as fate
    from records
    left join duplicates on records.record_id = duplicates.record_id
    left join paired on records.record_id = paired.record_id
)

select * from record_fates;
