-- Do the requests without a shadow answer have other production scores?
-- reads   production_answers
-- gives   missing_by_score(hour, bucket, missing, present)
select
    hour,
    score_bucket as bucket,
    count(*) filter (where not has_pair) as missing,
    count(*) filter (where has_pair) as present
from production_answers
where score_bucket is not null
group by hour, bucket
order by hour, bucket;
