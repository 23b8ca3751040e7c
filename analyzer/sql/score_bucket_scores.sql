-- Which scores does the shadow give in one stretch, and how many of each?
-- reads   predictions
-- gives   score_bucket_scores(score, predictions, positive), highest first: positive are those that
--         production's score calls positive
-- params  $lowest, $highest: the stretch, both ends within; $label_at: decision threshold
select
    shadow_score as score,
    count(*) as predictions,
    count(*) filter (where production_score >= $label_at) as positive
from predictions
where code = 'same'
    and shadow_score between $lowest and $highest
group by shadow_score
order by shadow_score desc;
