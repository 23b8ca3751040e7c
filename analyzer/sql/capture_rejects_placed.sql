-- Which lines were rejected, as long as it is known which objects they stood in?
-- reads   rejects
-- gives   capture_rejects_placed: all of them
select * from rejects;
