-- How do both variants' scores lie together, by what was true?
-- reads   label_predictions
-- gives   one row a cell of score buckets: positive and negative predictions in it
select
    score_bucket(production_score) as production_bucket,
    score_bucket(shadow_score) as shadow_bucket,
    count(*) filter (where positive) as positive,
    count(*) filter (where not positive) as negative
from label_predictions
where positive is not null
group by production_bucket, shadow_bucket
order by production_bucket, shadow_bucket;
