-- How many records met each fate?
-- reads  record_fates
-- gives  capture_fates(role, fate, records, first_at, last_at, without_time_zone)
with capture_fates as (
    select
        role,
        fate,
        count(*) as records,
        min(captured_at) as first_at,
        max(captured_at) as last_at,
        count(*) filter (where not has_time_zone) as without_time_zone
    from record_fates
    group by role, fate
)

select *
from capture_fates
order by role, fate;
