-- Sums of a year read tens of thousands of short rows here instead of millions in `sales_daily`. They are never stale:
-- whoever writes sales also writes, in the same transaction, which days are no longer summed up (`sales_stale_days`),
-- and readers take those days from `sales_daily`. Measurements and alternatives: docs/decisions/analytics-rollups.md.
--
-- No foreign keys: the rows follow from `sales_daily`, which has them.
create table sales_by_store_day (
    date date not null,
    store_id integer not null,
    row_count bigint not null,
    units bigint not null,
    -- Sum of `total_amount`. Whole cents are exact like numeric(.., 2), and adding them up is three times as fast.
    cents bigint not null,
    constraint pk_sales_by_store_day primary key (date, store_id)
);

create index ix_sales_by_store_day_store on sales_by_store_day (store_id, date);

create table sales_by_product_day (
    date date not null,
    product_id integer not null,
    row_count bigint not null,
    units bigint not null,
    cents bigint not null,
    constraint pk_sales_by_product_day primary key (date, product_id)
);

create index ix_sales_by_product_day_product on sales_by_product_day (product_id, date);

-- One row per statement that wrote sales. Rows are only added here, never changed, so that writers meet nobody: neither
-- each other nor whoever brings the sums up to date, who deletes only the rows that he sees.
create table sales_stale_days (
    dates datemultirange not null
);

-- Per statement and not per row: a load of a thousand rows pays one call and one short row.
create function sales_daily_stale() returns trigger
language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into sales_stale_days (dates)
        select range_agg(daterange(date, date, '[]'))
        from (select distinct date from new_rows) as changed
        having count(*) > 0;
    elsif tg_op = 'DELETE' then
        insert into sales_stale_days (dates)
        select range_agg(daterange(date, date, '[]'))
        from (select distinct date from old_rows) as changed
        having count(*) > 0;
    elsif tg_op = 'UPDATE' then
        insert into sales_stale_days (dates)
        select range_agg(daterange(date, date, '[]'))
        from (select date from new_rows union select date from old_rows) as changed
        having count(*) > 0;
    else
        -- TRUNCATE: without sales there are no sums, and nothing is stale.
        delete from sales_by_store_day;
        delete from sales_by_product_day;
        delete from sales_stale_days;
    end if;
    return null;
end
$$;

-- Transition tables belong to one event each, hence a trigger per event.
create trigger tr_sales_daily_stale_insert after insert on sales_daily
referencing new table as new_rows for each statement execute function sales_daily_stale();

create trigger tr_sales_daily_stale_update after update on sales_daily
referencing old table as old_rows new table as new_rows for each statement execute function sales_daily_stale();

create trigger tr_sales_daily_stale_delete after delete on sales_daily
referencing old table as old_rows for each statement execute function sales_daily_stale();

create trigger tr_sales_daily_stale_truncate after truncate on sales_daily
for each statement execute function sales_daily_stale();

-- Always: also for bulk loads that switch off the checks of foreign keys by `session_replication_role`.
alter table sales_daily enable always trigger tr_sales_daily_stale_insert;
alter table sales_daily enable always trigger tr_sales_daily_stale_update;
alter table sales_daily enable always trigger tr_sales_daily_stale_delete;
alter table sales_daily enable always trigger tr_sales_daily_stale_truncate;

-- What is there already.
insert into sales_stale_days (dates)
select datemultirange(daterange(min(date), max(date), '[]')) from sales_daily having count(*) > 0;
