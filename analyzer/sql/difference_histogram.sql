-- How large are the differences between paired scores?
-- reads   predictions
-- gives   eight buckets a factor of ten; no difference at all is the row with lower = upper = 0
with
bucketed as (
    select
        case
            when difference > 0 then greatest(floor(8 * log10(difference)), -160)::bigint
        end as bucket,
        count(*) as predictions
    from predictions
    where code = 'same'
        and difference is not null
    group by bucket
)

select
    coalesce(pow(10.0, bucket / 8.0), 0) as lower,
    coalesce(pow(10.0, (bucket + 1) / 8.0), 0) as upper,
    predictions
from bucketed
order by lower;
