-- What did both variants answer in the most divergent pairs?
-- reads   prediction_texts
-- gives   one row a pair: both outputs, or with $hashed only what tells whether they are equal
-- params  $pair_ids: these pairs, the most divergent first
--         $longest: characters of an output at most; $hashed: digests instead
select
    list_position($pair_ids::varchar[], pair_id::varchar)::bigint as rank,
    case
        when $hashed then 'sha256:' || left(sha256(production_text), 16)
        else left(production_text, $longest)
    end as production_output,
    case
        when $hashed then 'sha256:' || left(sha256(shadow_text), 16)
        else left(shadow_text, $longest)
    end as shadow_output
from prediction_texts
where pair_id::varchar in (select unnest($pair_ids::varchar[]))
order by rank;
