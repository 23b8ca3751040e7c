-- How many scores moved far, and does production use both sides of the threshold?
-- reads   predictions
-- gives   one row (large_shifted, production_at_or_above, production_below, shadow_at_or_above)
-- params  $far: a large shift in score units; $atol, $rtol: nothing within them is large
--         $label_at: decision threshold, null where there is none
select
    count(*) filter (
        where difference > greatest($far, $atol + $rtol * abs(production_score))
    ) as large_shifted,
    count(*) filter (where production_score >= $label_at) as production_at_or_above,
    count(*) filter (where production_score < $label_at) as production_below,
    count(*) filter (where shadow_score >= $label_at) as shadow_at_or_above
from predictions
where code = 'same'
    and production_score is not null;
