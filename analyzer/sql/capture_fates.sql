-- What became of the records of every hour? A pair stands in the window by production's time, a
-- record without a partner by its own.
-- reads   capture_fate_counts
-- gives   capture_fates(role, hour, fate, records, contradictions, first_at, last_at), fate being
--         duplicate (contradictions of them say something else), out_of_window, paired or
--         unpaired; of an hour's unpaired records only the number is
--         exact, the times are those of all its records
with
taken as (
    select
        role,
        hour,
        inside,
        sum(records) as records
    from capture_fate_counts
    where kind <> 'all'
    group by all
),

rest as (
    select
        totals.role,
        totals.hour,
        if(totals.inside, 'unpaired', 'out_of_window') as fate,
        totals.records - coalesce(taken.records, 0) as records,
        0 as contradictions,
        totals.first_at,
        totals.last_at
    from capture_fate_counts as totals
    left join taken using (role, hour, inside)
    where totals.kind = 'all'
),

fates as (
    select * from rest
    where records <> 0
    union all
    select
        role,
        hour,
        case
            when kind in ('duplicate', 'contradiction') then 'duplicate'
            when pair_inside then kind
            else 'out_of_window'
        end as fate,
        records,
        if(kind = 'contradiction', records, 0) as contradictions,
        first_at,
        last_at
    from capture_fate_counts
    where kind <> 'all'
),

capture_fates as (
    select
        role,
        hour,
        fate,
        sum(records)::bigint as records,
        sum(contradictions)::bigint as contradictions,
        min(first_at) as first_at,
        max(last_at) as last_at
    from fates
    group by all
)

select *
from capture_fates
order by role, hour, fate;
