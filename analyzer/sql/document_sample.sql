-- What did both variants answer in the sampled pairs: the text itself, where a document holds it?
-- reads   sampled_pairs, prediction_texts
-- gives   table document_sample(pair_id, input_key, production_document, shadow_document,
--         production, shadow), longer documents than $largest and what goes beyond $bytes left out
-- params  $json_path: where the text is in the list holding the document, null for the whole
--         $largest: bytes of one document, $bytes: of all together
create or replace temp table document_sample as
with
texts as (
    select
        sampled_pairs.pair_id,
        sampled_pairs.rank,
        prediction_texts.input_key,
        prediction_texts.production_text as production_document,
        prediction_texts.shadow_text as shadow_document
    from sampled_pairs
    inner join prediction_texts using (pair_id)
    where greatest(
        strlen(prediction_texts.production_text),
        strlen(prediction_texts.shadow_text)
    ) <= $largest
),

measured as (
    select
        *,
        sum(strlen(production_document) + strlen(shadow_document))
            over (order by rank, pair_id) as bytes_so_far
    from texts
)

select
    pair_id,
    input_key,
    production_document,
    shadow_document,
    held_text(production_document, $json_path) as production,
    held_text(shadow_document, $json_path) as shadow
from measured
where bytes_so_far <= $bytes;
