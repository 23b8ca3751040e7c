-- Which fields differ, and in how many documents?
-- reads   json_fields
-- gives   the 200 fields that differ most often: documents that hold the field on either side, and
--         those where it changed, has another type, is missing or was added
with fields as (
    select
        left(field, 200) as field,
        count(distinct pair_id) as documents,
        count(distinct pair_id) filter (where code <> 'same') as differing,
        count(distinct pair_id) filter (where code = 'changed') as changed,
        count(distinct pair_id) filter (where code = 'retyped') as retyped,
        count(distinct pair_id) filter (where code = 'missing') as missing,
        count(distinct pair_id) filter (where code = 'added') as added,
        max(difference) as largest_difference
    from json_fields
    group by 1
)

select *
from fields
order by differing desc, field
limit 200;
