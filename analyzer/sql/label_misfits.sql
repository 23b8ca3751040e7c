-- Which labels do not fit the kind of the outputs, and of how many predictions?
-- reads   label_predictions
-- gives   label_misfits(label, predictions)
select
    truth as label,
    count(*) as predictions
from label_predictions
where production_right is null and production_error is null
group by truth;
