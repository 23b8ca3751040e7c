-- The pairs of the window, both outputs as captured.
-- reads  matches, record_fates, records
-- gives  pairs, numbered from 1 by production's time and content
create or replace table pairs as
with inside as (
    select matches.*
    from matches
    semi join record_fates as production
        on matches.production_id = production.record_id and production.fate = 'paired'
),

numbered as (
    select
        row_number() over (order by production.captured_at, production.line_md5) as pair_id,
        inside.*
    from inside
    inner join records as production on inside.production_id = production.record_id
),

pairs as (
    select
        numbered.pair_id,
        numbered.paired_by,
        production.captured_at,
        (epoch_us(shadow.captured_at) - epoch_us(production.captured_at)) / 1e6 as skew_s,
        coalesce(production.inference_id, shadow.inference_id) as inference_id,
        production.event_id as production_event_id,
        shadow.event_id as shadow_event_id,
        production.input_key,
        production.input_content_type,
        production.output_content_type as production_content_type,
        production.output_encoding as production_encoding,
        production.output_data as production_data,
        shadow.output_content_type as shadow_content_type,
        shadow.output_encoding as shadow_encoding,
        shadow.output_data as shadow_data
    from numbered
    inner join records as production on numbered.production_id = production.record_id
    inner join records as shadow on numbered.shadow_id = shadow.record_id
)

select * from pairs;
