-- How often did what a variant gave a probability happen?
-- reads   label_predictions
-- gives   one row a variant and tenth of the score; score_sum is fixed-point, as text
-- params  $scale: steps per unit, such that no term exceeds 2^60
with
scores as (
    select
        'production' as variant,
        production_score as score,
        positive
    from label_predictions
    where positive is not null
    union all
    select
        'shadow' as variant,
        shadow_score as score,
        positive
    from label_predictions
    where positive is not null
)

select
    variant,
    least(floor(score * 10), 9)::integer as tenth,
    count(*) as predictions,
    count(*) filter (where positive) as positive,
    sum(round(score * $scale)::bigint)::varchar as score_sum
from scores
where score between 0 and 1
group by variant, tenth
order by variant, tenth;
