-- How do both variants' scores lie together?
-- reads   predictions
-- gives   score_cells: predictions by bucket of both scores and by whether production's
--         reaches the threshold; the lowest and highest of the shadow's scores in the cell,
--         and of production's
-- params  $by_logit: true for probabilities, false for quantities
--         $label_at: decision threshold, null where there is none
--         $centre, $spread: production's mean and standard deviation, for quantities
select
    case when $by_logit then score_bucket(production_score)
        else quantity_bucket(production_score, $centre, $spread) end as production_bucket,
    case when $by_logit then score_bucket(shadow_score)
        else quantity_bucket(shadow_score, $centre, $spread) end as shadow_bucket,
    production_score >= $label_at as production_positive,
    count(*) as predictions,
    min(shadow_score) as lowest,
    max(shadow_score) as highest,
    min(production_score) as production_lowest,
    max(production_score) as production_highest
from predictions
where code = 'same'
    and production_score is not null
group by production_bucket, shadow_bucket, production_positive;
