-- How many requests of a replay lack their pair, and how many pairs lack their request?
-- reads  replay_paired; replay_sent(event_id), lent: one row a request of the window
-- gives  unpaired, unsent: one row; counted event by event, so that neither hides the other
with
sent as (
    select
        id_key(event_id, try_cast(event_id as uuid)) as event_key,
        count(*) as requests
    from replay_sent
    group by 1
),

paired as (
    select
        pair_id as event_key,
        count(*) as pairs
    from replay_paired
    group by pair_id
),

differences as (
    select coalesce(sent.requests, 0) - coalesce(paired.pairs, 0) as more_sent
    from sent
    full join paired using (event_key)
),

replay_pairs as (
    select
        coalesce(sum(greatest(more_sent, 0)), 0)::bigint as unpaired,
        coalesce(sum(greatest(-more_sent, 0)), 0)::bigint as unsent
    from differences
)

select * from replay_pairs;
