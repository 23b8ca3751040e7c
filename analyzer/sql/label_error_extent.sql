-- How large is the largest distance from a label?
-- reads   label_predictions
-- gives   one row; null without any
select max(greatest(production_error, shadow_error)) as largest_error
from label_predictions;
