-- Which shadow score goes with which production score?
-- reads   predictions
-- gives   score_grid(production_lower, production_upper, shadow_lower, shadow_upper, predictions)
-- params  $lowest, $width, $bins: equal bins on both axes; outside counts at the edge
with
binned as (
    select
        least(greatest(floor((production_score - $lowest) / $width), 0), $bins - 1)::bigint
            as production_bin,
        least(greatest(floor((shadow_score - $lowest) / $width), 0), $bins - 1)::bigint
            as shadow_bin,
        count(*) as predictions
    from predictions
    where code = 'same'
        and production_score is not null
    group by production_bin, shadow_bin
)

select
    $lowest + $width * production_bin as production_lower,
    $lowest + $width * (production_bin + 1) as production_upper,
    $lowest + $width * shadow_bin as shadow_lower,
    $lowest + $width * (shadow_bin + 1) as shadow_upper,
    predictions
from binned
order by production_bin, shadow_bin;
