-- How many scores moved by how much, finely enough to count those beyond any size?
-- reads   predictions
-- gives   shift_sizes(step, predictions): |difference| from 2^(step/64) to below 2^((step+1)/64)
select
    floor(64 * log2(difference))::bigint as step,
    count(*) as predictions
from predictions
where code = 'same'
    and production_score is not null
    and difference > 0
group by step
order by step;
