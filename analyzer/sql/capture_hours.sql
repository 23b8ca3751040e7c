-- How many records of the window fell in each hour, and how many found a partner?
-- reads  capture_fates, lent
-- gives  capture_hours(hour, role, records, paired)
with capture_hours as (
    select
        hour,
        role,
        sum(records)::bigint as records,
        coalesce(sum(records) filter (where fate = 'paired'), 0)::bigint as paired
    from capture_fates
    where fate in ('paired', 'unpaired')
    group by hour, role
)

select *
from capture_hours
order by hour, role;
