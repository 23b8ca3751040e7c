-- The pairs of the window, both outputs as captured.
-- reads   matches, records
-- gives   pairs; pair_id is production's event, which no two pairs share
-- params  $start, $end: the window by production's time, half open, UTC
with
inside as (
    select *
    from matches
    where production_at >= $start and production_at < $end
),

production as (
    select *
    from records
    where role = 'production'
),

shadow as (
    select *
    from records
    where role = 'shadow'
),

pairs as (
    select
        production.event_key as pair_id,
        inside.paired_by,
        production.captured_at,
        (epoch_us(shadow.captured_at) - epoch_us(production.captured_at)) / 1e6 as skew_s,
        coalesce(production.inference_key, shadow.inference_key) as inference_key,
        if(production.inference_key is null, shadow.inference_text, production.inference_text)
            as inference_text,
        production.input_key,
        production.input_content_type,
        production.output_content_type as production_content_type,
        production.output_encoding as production_encoding,
        production.output_data as production_data,
        shadow.output_content_type as shadow_content_type,
        shadow.output_encoding as shadow_encoding,
        shadow.output_data as shadow_data
    from inside
    inner join production on inside.production_id = production.record_id
    inner join shadow on inside.shadow_id = shadow.record_id
)

select * from pairs;
