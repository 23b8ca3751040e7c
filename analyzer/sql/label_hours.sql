-- How often was one variant alone right, in every hour?
-- reads   label_predictions
-- gives   label_hours(hour, ...): hours since 1970 by production's time, and counts under the names
--         they have in label_outcomes
select
    epoch_us(captured_at) // 3_600_000_000 as hour,
    count(*) as predictions,
    count(*) filter (where production_right and not shadow_right) as production_right,
    count(*) filter (where not production_right and shadow_right) as shadow_right
from label_predictions
where production_right is not null
group by hour
order by hour;
