-- How many predictions have production's most frequent label?
-- reads   predictions
-- gives   one row (commonest_label)
with
labels as (
    select count(*) as predictions
    from predictions
    where code = 'same'
        and production_label is not null
    group by production_label
)

select coalesce(max(predictions), 0)::bigint as commonest_label
from labels;
