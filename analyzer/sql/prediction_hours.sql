-- How many predictions of every hour flip or shift?
-- reads   predictions
-- gives   prediction_hours(hour, ...): hours since 1970 by production's time, and counts under the
--         names they have in prediction_counts
-- params  $far: a large shift in score units, null where there is none; $atol, $rtol: nothing
--         within them is large
select
    epoch_us(captured_at) // 3_600_000_000 as hour,
    count(*) as predictions,
    count(flipped) as labelled,
    count(*) filter (where flipped) as flipped,
    count(shifted) as measured,
    count(*) filter (where shifted) as shifted,
    count(*) filter (
        where difference > greatest($far, $atol + $rtol * abs(production_score))
    ) as large_shifted
from predictions
where code = 'same'
group by hour
order by hour;
