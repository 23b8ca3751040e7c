-- How many scores does the shadow give in each piece of one stretch?
-- reads   predictions
-- gives   score_stretches(bucket, shadow, positive, lowest, highest), highest first, the columns of
--         score_marginals
-- params  $lowest, $highest: the stretch, both ends within; $pieces: equal parts of it
--         $label_at: decision threshold
select
    least(
        floor((shadow_score - $lowest) / ($highest - $lowest) * $pieces),
        $pieces - 1
    )::bigint as bucket,
    count(*) as shadow,
    count(*) filter (where production_score >= $label_at) as positive,
    min(shadow_score) as lowest,
    max(shadow_score) as highest
from predictions
where code = 'same'
    and shadow_score between $lowest and $highest
group by bucket
order by bucket desc;
