-- Seeding loads sales with `session_replication_role = replica`, which leaves out the per-row lookups of foreign keys
-- (slices/seeder/store.rs says why that is safe) and every ordinary trigger with them. The days must be marked stale all
-- the same, or the sums of analytics would miss the load.
alter table sales_daily enable always trigger tr_sales_daily_stale_insert;
alter table sales_daily enable always trigger tr_sales_daily_stale_update;
alter table sales_daily enable always trigger tr_sales_daily_stale_delete;
alter table sales_daily enable always trigger tr_sales_daily_stale_truncate;
