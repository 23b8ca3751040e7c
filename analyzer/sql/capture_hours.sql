-- How many records of the window fell in each hour, and how many found a partner?
-- reads  record_fates
-- gives  capture_hours(hour, role, records, paired)
with capture_hours as (
    select
        date_trunc('hour', captured_at) as hour,
        role,
        count(*) as records,
        count(*) filter (where fate = 'paired') as paired
    from record_fates
    where fate in ('paired', 'unpaired')
    group by all
)

select *
from capture_hours
order by hour, role;
