-- How many lines of one variant were rejected for each reason?
-- reads  rejects; $role
-- gives  side_codes(code, lines)
with side_codes as (
    select
        code,
        count(*) as lines
    from rejects
    where role = $role
    group by code
)

select *
from side_codes
order by code;
