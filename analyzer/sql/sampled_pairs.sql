-- Which pairs are looked at closely, where that costs too much for all? A hash of pair_id spreads
-- them over the window, whatever their order.
-- reads   pairs
-- gives   table sampled_pairs(pair_id, rank)
-- params  $size: pairs at most
create or replace temp table sampled_pairs as
select
    pair_id,
    hash(pair_id) as rank
from pairs
where production_data is not null
    and shadow_data is not null
order by rank, pair_id
limit $size;
