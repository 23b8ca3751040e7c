-- How many scores of each variant lie in each bucket?
-- reads   score_cells
-- gives   score_marginals(bucket, production, shadow, positive, lowest, highest,
--         production_lowest, production_highest): positive are the shadow's predictions in the
--         bucket that production's score calls positive, lowest and highest the shadow's scores
--         there, and production's
with
sides as (
    select
        production_bucket as bucket,
        predictions as production,
        0 as shadow,
        0 as positive,
        null as lowest,
        null as highest,
        production_lowest,
        production_highest
    from score_cells
    union all
    select
        shadow_bucket as bucket,
        0 as production,
        predictions as shadow,
        if(production_positive, predictions, 0) as positive,
        lowest,
        highest,
        null as production_lowest,
        null as production_highest
    from score_cells
)

select
    bucket,
    sum(production)::bigint as production,
    sum(shadow)::bigint as shadow,
    sum(positive)::bigint as positive,
    min(lowest) as lowest,
    max(highest) as highest,
    min(production_lowest) as production_lowest,
    max(production_highest) as production_highest
from sides
group by bucket
order by bucket;
