-- What did both variants answer, as text?
-- reads   pairs, prediction_decoded
-- gives   view prediction_texts: one row a pair; a text is null where no output was captured
create or replace temp view prediction_texts as
select
    pairs.pair_id,
    pairs.input_key,
    pairs.captured_at,
    coalesce(
        production_decoded.text,
        output_text(pairs.production_data, pairs.production_encoding)
    ) as production_text,
    coalesce(
        shadow_decoded.text,
        output_text(pairs.shadow_data, pairs.shadow_encoding)
    ) as shadow_text
from pairs
left join prediction_decoded as production_decoded
    on production_decoded.pair_id = pairs.pair_id
    and production_decoded.role = 'production'
left join prediction_decoded as shadow_decoded
    on shadow_decoded.pair_id = pairs.pair_id
    and shadow_decoded.role = 'shadow';
