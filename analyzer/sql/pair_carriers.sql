-- Which variants carry inference IDs at all?
-- reads   kept_records
-- gives   pair_carriers(production, shadow), one row
select
    coalesce(bool_or(role = 'production'), false) as production,
    coalesce(bool_or(role = 'shadow'), false) as shadow
from kept_records
where inference_key is not null;
