-- Do the requests without a shadow answer have other production scores?
-- reads   missing_scores, score_cells
-- gives   missing_by_score(bucket, missing, present): predictions by bucket of production's score
with scores as (
    select
        bucket,
        predictions as missing,
        0 as present
    from missing_scores
    union all
    select
        production_bucket as bucket,
        0 as missing,
        predictions as present
    from score_cells
)

select
    bucket,
    sum(missing)::bigint as missing,
    sum(present)::bigint as present
from scores
group by bucket
order by bucket;
