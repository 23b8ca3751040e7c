-- How far from the threshold were the production scores whose decision flipped?
-- reads   predictions
-- gives   flip_distance(lower, upper, predictions, flips)
-- params  $label_at: decision threshold; $flip_width, $flip_bins: equal bins, farther counts in the last
with
binned as (
    select
        least(floor(abs(production_score - $label_at) / $flip_width), $flip_bins - 1)::bigint as bin,
        count(*) as predictions,
        count(*) filter (where flipped) as flips
    from predictions
    where code = 'same'
        and production_score is not null
        and flipped is not null
    group by bin
)

select
    $flip_width * bin as lower,
    $flip_width * (bin + 1) as upper,
    predictions,
    flips
from binned
order by bin;
