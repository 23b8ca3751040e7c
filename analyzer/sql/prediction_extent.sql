-- How many predictions are compared, on how many inputs, over which range of scores?
-- reads   predictions
-- gives   one row; prediction_squares is a sum of squared counts per distinct input, as text
with
inputs as (
    select
        count(*) as predictions,
        count(*) filter (where shifted is not null) as with_difference,
        sum(flipped::bigint) as flipped,
        count(flipped) as with_label,
        sum(shifted::bigint) as shifted,
        min(least(production_score, shadow_score)) as lowest,
        max(greatest(production_score, shadow_score)) as highest,
        max(difference) as largest_difference
    from predictions
    where code = 'same'
    group by
        input_key,
        case when input_key is null then pair_id end
)

select
    coalesce(sum(predictions), 0)::bigint as predictions,
    coalesce(sum(with_label), 0)::bigint as labelled,
    coalesce(sum(flipped), 0)::bigint as flipped,
    coalesce(sum(with_difference), 0)::bigint as measured,
    coalesce(sum(shifted), 0)::bigint as shifted,
    coalesce(sum(predictions::hugeint * predictions), 0)::varchar as prediction_squares,
    min(lowest) as lowest,
    max(highest) as highest,
    max(largest_difference) as largest_difference
from inputs;
