-- How many of the lines did the fast way leave?
-- reads   nothing
-- gives   capture_unread(lines)
-- params  $records_file: what the fast way wrote
select count(*) as lines
from read_parquet($records_file, hive_partitioning = false)
where captured_at is null;
