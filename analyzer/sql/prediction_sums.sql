-- What do the sums of all minutes come to?
-- reads   score_minutes
-- gives   one row of whole numbers as text
select
    coalesce(sum(scores), 0)::bigint as scores,
    coalesce(sum(production), 0)::varchar as production,
    coalesce(sum(shadow), 0)::varchar as shadow,
    coalesce(sum(distance), 0)::varchar as distance,
    coalesce(sum(production_squares), 0)::varchar as production_squares,
    coalesce(sum(shadow_squares), 0)::varchar as shadow_squares,
    coalesce(sum(products), 0)::varchar as products,
    coalesce(sum(change_squares), 0)::varchar as change_squares
from score_minutes;
