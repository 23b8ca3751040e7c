-- When does each variant's capture begin and end?
-- reads  records
-- gives  capture_extent(role, first_at, last_at)
with capture_extent as (
    select
        role,
        min(captured_at) as first_at,
        max(captured_at) as last_at
    from records
    group by role
)

select *
from capture_extent
order by role;
