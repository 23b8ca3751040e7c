-- How many scores moved far, and does production use both sides of the threshold?
-- reads   predictions
-- gives   one row (large_shifted, production_at_or_above, production_below, shadow_at_or_above,
--         below_zero): the last those that production puts at least half as far above zero as the
--         shadow does below it
-- params  $far: a large shift in score units; $atol, $rtol: nothing within them is large,
--         and nothing within $atol of zero is below it
--         $label_at: decision threshold, null where there is none
select
    count(*) filter (
        where difference > greatest($far, $atol + $rtol * abs(production_score))
    ) as large_shifted,
    count(*) filter (where production_score >= $label_at) as production_at_or_above,
    count(*) filter (where production_score < $label_at) as production_below,
    count(*) filter (where shadow_score >= $label_at) as shadow_at_or_above,
    count(*) filter (
        where shadow_score < -$atol and production_score >= -shadow_score / 2
    ) as below_zero
from predictions
where code = 'same'
    and production_score is not null;
