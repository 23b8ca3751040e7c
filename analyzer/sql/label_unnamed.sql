-- Which pairs has no label named by their inference ID, so that one may name their event?
-- reads   pairs, label_pairs
-- gives   label_unnamed: the columns of pairs; those without an inference ID were asked by their event
select pairs.*
from pairs
anti join label_pairs using (pair_id)
where inference_key is not null;
