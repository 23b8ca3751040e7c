-- How many predictions have the commonest label, and how many one that neither variant ever gives?
-- reads   label_truths
-- gives   one row of counts
select
    coalesce(max(predictions), 0)::bigint as commonest_truth,
    coalesce(sum(predictions) filter (where given = 0), 0)::bigint as foreign_truth
from label_truths;
