-- Which lists of numbers do sampled answers with several predictions make?
-- reads   sampled_pairs, predictions
-- gives   table vector_sample(pair_id, input_key, production, shadow): of each answer the
--         predictions that are numbers in both variants, where nothing else differs; of longer ones
--         than $longest the beginning
-- params  $longest: numbers of one list
create or replace temp table vector_sample as
select
    pair_id,
    any_value(input_key) as input_key,
    list(production_score order by row_index) filter (where code = 'same') as production,
    list(shadow_score order by row_index) filter (where code = 'same') as shadow
from predictions
semi join sampled_pairs using (pair_id)
where row_index < $longest
group by pair_id
having count(*) filter (where code = 'same') > 1
    and bool_and(code in ('same', 'alike'));
