-- By how much do the scores differ in every minute?
-- reads   score_minutes
-- gives   score_bias_minutes(minute, predictions, change): minutes since 1970; the exact sum of
--         shadow - production, as a float
-- params  $scale: steps per unit of the sums
select
    minute,
    scores as predictions,
    (shadow - production)::double / $scale as change
from score_minutes
order by minute;
