-- Which sampled pairs of texts are least alike?
-- reads   document_likeness, pairs
-- gives   at most 100 pairs, as worst_pairs; the texts themselves are not in it
with
ranked as (
    select
        pair_id,
        1 - likeness as difference
    from document_likeness
    where not equal
    order by difference desc, pair_id
    limit 100
)

select
    row_number() over (order by ranked.difference desc, ranked.pair_id) as rank,
    ranked.pair_id::varchar as pair_id,
    coalesce(pairs.inference_text, pairs.inference_key::varchar) as inference_id,
    pairs.captured_at,
    null::varchar as production_value,
    null::varchar as shadow_value,
    ranked.difference
from ranked
inner join pairs using (pair_id)
order by rank;
