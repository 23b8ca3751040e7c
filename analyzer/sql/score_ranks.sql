-- What are the sums behind the correlation of ranks? Scores of one bucket share their mean rank.
-- reads   score_cells
-- gives   one row of whole numbers as text: sums over predictions of (2 rank - n - 1) squared and
--         multiplied
with
production_counts as (
    select
        production_bucket,
        sum(predictions)::hugeint as predictions
    from score_cells
    group by production_bucket
),

shadow_counts as (
    select
        shadow_bucket,
        sum(predictions)::hugeint as predictions
    from score_cells
    group by shadow_bucket
),

-- twice the mean rank, less n + 1: those below minus those above
production_ranks as (
    select
        production_bucket,
        2 * sum(predictions) over (order by production_bucket)
        - predictions - sum(predictions) over () as rank
    from production_counts
),

shadow_ranks as (
    select
        shadow_bucket,
        2 * sum(predictions) over (order by shadow_bucket)
        - predictions - sum(predictions) over () as rank
    from shadow_counts
)

select
    coalesce(sum(predictions * production_ranks.rank * production_ranks.rank), 0)::varchar
        as production_squares,
    coalesce(sum(predictions * shadow_ranks.rank * shadow_ranks.rank), 0)::varchar
        as shadow_squares,
    coalesce(sum(predictions * production_ranks.rank * shadow_ranks.rank), 0)::varchar as products
from score_cells
inner join production_ranks using (production_bucket)
inner join shadow_ranks using (shadow_bucket);
