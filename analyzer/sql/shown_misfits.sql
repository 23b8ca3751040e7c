-- Which labels that do not fit are so frequent that they are classes, and no one's name?
-- reads   label_misfits
-- gives   shown_misfits(label, predictions): the commonest
-- params  $least: predictions; $most: labels
select
    left(label, 64) as label,
    predictions
from label_misfits
where predictions >= $least
order by predictions desc, label
limit $most;
