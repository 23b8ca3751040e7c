-- How many predictions are compared, on how many inputs, over which range of scores?
-- reads   predictions, repeated_inputs
-- gives   one row; prediction_squares is a sum of squared counts per distinct input, as text
with
compared as (
    select *
    from predictions
    where code = 'same'
),

totals as (
    select
        count(*) as predictions,
        count(flipped) as labelled,
        coalesce(sum(flipped::bigint), 0)::bigint as flipped,
        count(shifted) as measured,
        coalesce(sum(shifted::bigint), 0)::bigint as shifted,
        min(least(production_score, shadow_score)) as lowest,
        max(greatest(production_score, shadow_score)) as highest,
        max(difference) as largest_difference
    from compared
),

shared as (
    select count(*) as predictions
    from compared
    semi join repeated_inputs using (input_key)
    group by input_key
),

rows_of_pairs as (  -- of inputs that one pair has: more than one only where a payload has rows
    select count(*) as predictions
    from compared
    anti join repeated_inputs using (input_key)
    where pair_id in (
        select pair_id
        from predictions
        where row_index > 0
    )
    group by pair_id
),

excess as (  -- what these add to the squares beyond one for each prediction
    select coalesce(sum(predictions::hugeint * predictions - predictions), 0) as squares
    from (
        select * from shared
        union all
        select * from rows_of_pairs
    )
)

select
    totals.* exclude (lowest, highest, largest_difference),
    (totals.predictions + excess.squares)::varchar as prediction_squares,
    totals.lowest,
    totals.highest,
    totals.largest_difference
from totals, excess;
