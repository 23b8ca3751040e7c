-- What became of the records of every hour? A pair stands in the window by production's time, a
-- record without a partner by its own. Nothing is joined record by record: what is neither repeated
-- nor paired is the rest.
-- reads   records, duplicates, matches
-- gives   capture_fates(role, hour, fate, records, first_at, last_at), fate being duplicate,
--         out_of_window, paired or unpaired; of an hour's unpaired records only the number is
--         exact, the times are those of all its records
-- params  $start, $end: the window, half open, UTC
with
totals as (
    select
        role,
        date_trunc('hour', captured_at) as hour,
        captured_at >= $start and captured_at < $end as inside,
        count(*) as records,
        min(captured_at) as first_at,
        max(captured_at) as last_at
    from records
    group by all
),

repeated as (
    select
        role,
        date_trunc('hour', captured_at) as hour,
        captured_at >= $start and captured_at < $end as inside,
        count(*) as records,
        min(captured_at) as first_at,
        max(captured_at) as last_at
    from duplicates
    group by all
),

sides as (
    select
        'production' as role,
        production_at as captured_at,
        production_at
    from matches
    union all
    select
        'shadow' as role,
        shadow_at as captured_at,
        production_at
    from matches
),

paired as (
    select
        role,
        date_trunc('hour', captured_at) as hour,
        captured_at >= $start and captured_at < $end as inside,
        production_at >= $start and production_at < $end as pair_inside,
        count(*) as records,
        min(captured_at) as first_at,
        max(captured_at) as last_at
    from sides
    group by all
),

taken as (
    select
        role,
        hour,
        inside,
        sum(records) as records
    from (
        select * exclude (pair_inside) from paired
        union all
        select * from repeated
    )
    group by all
),

rest as (
    select
        totals.role,
        totals.hour,
        if(totals.inside, 'unpaired', 'out_of_window') as fate,
        totals.records - coalesce(taken.records, 0) as records,
        totals.first_at,
        totals.last_at
    from totals
    left join taken using (role, hour, inside)
),

fates as (
    select * from rest
    where records <> 0
    union all
    select
        role,
        hour,
        'duplicate' as fate,
        records,
        first_at,
        last_at
    from repeated
    union all
    select
        role,
        hour,
        if(pair_inside, 'paired', 'out_of_window') as fate,
        records,
        first_at,
        last_at
    from paired
),

capture_fates as (
    select
        role,
        hour,
        fate,
        sum(records)::bigint as records,
        min(first_at) as first_at,
        max(last_at) as last_at
    from fates
    group by all
)

select *
from capture_fates
order by role, hour, fate;
