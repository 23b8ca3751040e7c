-- How large are the differences between paired scores, finely?
-- reads   predictions
-- gives   difference_cells(bucket, predictions): 64 buckets a factor of ten, null where there
--         is no difference at all
select
    case
        when difference > 0 then greatest(floor(64 * log10(difference)), -1280)::bigint
    end as bucket,
    count(*) as predictions
from predictions
where code = 'same'
    and difference is not null
group by bucket;
