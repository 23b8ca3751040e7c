-- Which lines were rejected, where do they stand, and why? At most 10,000, in order of place.
-- reads  rejects; objects(object_id, object_key), lent
-- gives  rejects(code, role, object_key, line_number, line_sha256, line_bytes)
with listed as (
    select
        rejects.code,
        rejects.role,
        objects.object_key,
        rejects.line_number,
        rejects.line_sha256,
        rejects.line_bytes
    from rejects
    left join objects on rejects.object_id = objects.object_id
)

select *
from listed
order by
    role,
    object_key,
    line_number
limit 10000;
