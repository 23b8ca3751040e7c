-- Which fields differ, and in how many documents?
-- reads   json_fields
-- gives   the 200 fields that differ most often: documents that hold the field on either side, and
--         those where it changed, has another type, is missing or was added; fields of few documents
--         are one row, without a name
-- params  $least: documents that hold a field which is named
with held as (
    select
        field,
        count(distinct pair_id) as documents
    from json_fields
    group by field
),

fields as (
    select
        case when held.documents >= $least then left(field, 200) end as field,
        count(distinct pair_id) as documents,
        count(distinct pair_id) filter (where code <> 'same') as differing,
        count(distinct pair_id) filter (where code = 'changed') as changed,
        count(distinct pair_id) filter (where code = 'retyped') as retyped,
        count(distinct pair_id) filter (where code = 'missing') as missing,
        count(distinct pair_id) filter (where code = 'added') as added,
        max(difference) as largest_difference
    from json_fields
    inner join held using (field)
    group by 1
)

select *
from fields
order by differing desc, field nulls last
limit 200;
