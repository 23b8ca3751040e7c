-- How are the scores of each variant distributed?
-- reads   predictions
-- gives   score_histogram(role, lower, upper, predictions)
-- params  $lowest, $width, $bins: equal bins; scores outside count in the first or last
with
scores as (
    select
        unnest(['production', 'shadow']) as role,
        unnest([production_score, shadow_score]) as score
    from predictions
    where code = 'same'
        and production_score is not null
),

binned as (
    select
        role,
        least(greatest(floor((score - $lowest) / $width), 0), $bins - 1)::bigint as bin,
        count(*) as predictions
    from scores
    group by role, bin
)

select
    role,
    $lowest + $width * bin as lower,
    $lowest + $width * (bin + 1) as upper,
    predictions
from binned
order by role, bin;
