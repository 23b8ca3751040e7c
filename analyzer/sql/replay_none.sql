-- Which requests did a replay send whose events lie elsewhere?
-- reads  nothing
-- gives  no row of replay_events
select null::varchar as event_id
where false;
