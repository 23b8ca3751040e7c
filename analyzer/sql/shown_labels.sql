-- Which labels does either variant give so often that they are classes, and no one's name?
-- reads   prediction_label_counts
-- gives   shown_labels(label): the commonest
-- params  $least: predictions of one variant; $most: labels
select left(label, 64) as label
from prediction_label_counts
group by label
having max(predictions) >= $least
order by max(predictions) desc, label
limit $most;
