-- The contenders are no longer needed: their memory goes to the pairs.
-- reads  contenders
-- gives  nothing
drop table contenders;
