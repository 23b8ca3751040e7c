-- Which of the requests that a replay sent did production answer, when, and what was asked?
-- reads  records; replay_events(event_id), lent
-- gives  event_id, input_key, inside: one row an event that production has; an input that was not
--        captured is its own
-- params $start, $end: the window by production's time, half open, UTC
with
asked as (
    select
        event_id,
        id_key(event_id, try_cast(event_id as uuid)) as event_key
    from replay_events
),

production as (
    select
        event_key,
        min(input_key) as input_key,
        bool_or(captured_at >= $start and captured_at < $end) as inside
    from records
    where
        role = 'production'
        and has_event_id
    group by event_key
),

replay_requests as (
    select
        asked.event_id,
        coalesce(production.input_key, hash(asked.event_key)) as input_key,
        production.inside
    from asked
    inner join production using (event_key)
)

select * from replay_requests;
