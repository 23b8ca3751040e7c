-- How many lines were rejected for each reason?
-- reads  rejects
-- gives  reject_codes(code, lines)
with reject_codes as (
    select
        code,
        count(*) as lines
    from rejects
    group by code
)

select *
from reject_codes
order by code;
