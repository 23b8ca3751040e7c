-- How many predictions have the commonest label, how many one that neither variant ever gives, and
-- how often would answers be right if they had nothing to do with the labels?
-- reads   label_truths
-- gives   one row; chance_products and chance_cubes, as text, are sums over labels of p q and of
--         p q (p + q), p being predictions whose label it is and q those to which production gives it;
--         of labels other than the commonest: production_found and shadow_found, how many each
--         variant gives rightly, and production_products and shadow_products, as text, sums of p q
with
placed as (
    select
        *,
        row_number() over (order by predictions desc, label) = 1 as is_commonest
    from label_truths
)

select
    coalesce(max(predictions), 0)::bigint as commonest_truth,
    coalesce(sum(predictions) filter (where production_given + shadow_given = 0), 0)::bigint
        as foreign_truth,
    coalesce(sum(predictions::hugeint * production_given), 0)::varchar as chance_products,
    coalesce(
        sum(predictions::hugeint * production_given * (predictions + production_given)), 0
    )::varchar as chance_cubes,
    coalesce(sum(production_right) filter (where not is_commonest), 0)::bigint as production_found,
    coalesce(sum(shadow_right) filter (where not is_commonest), 0)::bigint as shadow_found,
    coalesce(
        sum(predictions::hugeint * production_given) filter (where not is_commonest), 0
    )::varchar as production_products,
    coalesce(
        sum(predictions::hugeint * shadow_given) filter (where not is_commonest), 0
    )::varchar as shadow_products
from placed;
