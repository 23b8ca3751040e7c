-- Does a sample hold as many pairs as anybody looks at?
-- reads   pairs
-- gives   pair_sample_size, one row (production, both): pairs with production's output, and with both
select
    count(*) filter (where production_data is not null) as production,
    count(*) filter (where production_data is not null and shadow_data is not null) as both
from pairs;
