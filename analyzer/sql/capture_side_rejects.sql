-- Where do the first rejected lines of one variant stand, in order of place?
-- reads  rejects; $role, $most
-- gives  side_rejects(code, object_id, line_number)
with side_rejects as (
    select
        code,
        object_id,
        line_number
    from rejects
    where role = $role
)

select *
from side_rejects
order by
    object_id,
    line_number
limit $most;
