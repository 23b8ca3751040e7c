-- How far apart are the scores of a pair, along their mean?
-- reads   predictions
-- gives   score_agreement(mean_lower, mean_upper, difference_lower, difference_upper, predictions):
--         the difference is shadow - production
-- params  $lowest, $width, $bins: equal bins of the mean; $least_difference, $step_difference,
--         $difference_bins: of the difference; outside counts at the edge
with
binned as (
    select
        least(
            greatest(floor((production_score / 2 + shadow_score / 2 - $lowest) / $width), 0),
            $bins - 1
        )::bigint as mean_bin,
        least(
            greatest(
                floor((shadow_score - production_score - $least_difference) / $step_difference),
                0
            ),
            $difference_bins - 1
        )::bigint as difference_bin,
        count(*) as predictions
    from predictions
    where code = 'same'
        and production_score is not null
    group by mean_bin, difference_bin
)

select
    $lowest + $width * mean_bin as mean_lower,
    $lowest + $width * (mean_bin + 1) as mean_upper,
    $least_difference + $step_difference * difference_bin as difference_lower,
    $least_difference + $step_difference * (difference_bin + 1) as difference_upper,
    predictions
from binned
order by mean_bin, difference_bin;
