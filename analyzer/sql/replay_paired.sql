-- Which of production's events have a pair?
-- reads  pairs
-- gives  replay_paired(pair_id): no more than a replay has sent
select pair_id
from pairs;
