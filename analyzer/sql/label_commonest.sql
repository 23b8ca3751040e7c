-- How many predictions have the commonest label, how many one that neither variant ever gives, and
-- how often would production be right if its answers had nothing to do with the labels?
-- reads   label_truths
-- gives   one row; chance_products and chance_cubes, as text, are sums over labels of p q and of
--         p q (p + q), p being predictions whose label it is and q those to which production gives it
select
    coalesce(max(predictions), 0)::bigint as commonest_truth,
    coalesce(sum(predictions) filter (where given = 0), 0)::bigint as foreign_truth,
    coalesce(sum(predictions::hugeint * production_given), 0)::varchar as chance_products,
    coalesce(
        sum(predictions::hugeint * production_given * (predictions + production_given)), 0
    )::varchar as chance_cubes
from label_truths;
