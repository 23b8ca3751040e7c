-- What do the predictions of each pair come to?
-- reads   predictions
-- gives   slice_predictions, one row a pair that has any; higher and lower count the flips, or where
--         nothing can flip the shifts, by the direction in which the shadow's score lies
-- params  $far: a large shift in score units, null where there is none; $atol, $rtol: nothing
--         within them is large
select
    pair_id,
    count(*) as predictions,
    count(flipped) as labelled,
    count(*) filter (where flipped) as flipped,
    count(shifted) as measured,
    count(*) filter (where shifted) as shifted,
    count(*) filter (
        where difference > greatest($far, $atol + $rtol * abs(production_score))
    ) as large_shifted,
    count(*) filter (where coalesce(flipped, shifted) and shadow_score > production_score)
        as higher,
    count(*) filter (where coalesce(flipped, shifted) and shadow_score < production_score) as lower
from predictions
where code = 'same'
group by pair_id;
