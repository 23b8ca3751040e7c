-- How large are the differences between paired scores?
-- reads   difference_cells
-- gives   eight buckets a factor of ten; no difference at all is the row with lower = upper = 0
with
bucketed as (
    select
        floor(bucket / 8)::bigint as eighth,
        sum(predictions)::bigint as predictions
    from difference_cells
    group by eighth
)

select
    coalesce(pow(10.0, eighth / 8.0), 0) as lower,
    coalesce(pow(10.0, (eighth + 1) / 8.0), 0) as upper,
    predictions
from bucketed
order by lower;
