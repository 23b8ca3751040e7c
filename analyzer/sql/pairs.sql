-- The pairs of a part of the window, both outputs as captured.
-- reads   matches, records
-- gives   rows of pairs; pair_id is production's event, which no two pairs share; same_input is null
--         where either input was not captured
-- params  $start, $end: the part by production's time, half open, UTC
--         $first_shadow_at, $last_shadow_at: when the shadow records of these pairs lie, inclusive;
--         parsed files that hold no such times are not opened
with
inside as (
    select *
    from matches
    where production_at >= $start and production_at < $end
),

production as (
    select *
    from records
    where
        role = 'production'
        and captured_at >= $start
        and captured_at < $end
),

shadow as (
    select *
    from records
    where
        role = 'shadow'
        and captured_at between $first_shadow_at and $last_shadow_at
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
        production.input_key = shadow.input_key as same_input,
        production.input_slices,
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
