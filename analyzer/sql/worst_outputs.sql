-- What did both variants answer in the most divergent pairs?
-- reads   worst_pairs (lent), prediction_texts
-- gives   one row a pair: both outputs, or with $hashed only what tells whether they are equal
-- params  $longest: characters of an output at most; $hashed: digests instead
select
    worst_pairs.rank,
    case
        when $hashed then 'sha256:' || left(sha256(production_text), 16)
        else left(production_text, $longest)
    end as production_output,
    case
        when $hashed then 'sha256:' || left(sha256(shadow_text), 16)
        else left(shadow_text, $longest)
    end as shadow_output
from worst_pairs
inner join prediction_texts on prediction_texts.pair_id::varchar = worst_pairs.pair_id
order by worst_pairs.rank;
