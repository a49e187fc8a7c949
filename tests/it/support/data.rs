//! Data that tests start from.

use retailcast::import::{
    HolidayRule, Progress, SalesOptions, Source, import_calendar, import_products, import_sales,
    import_stores,
};
use retailcast::tabular::Format;
use sqlx::PgPool;

use super::database;

/// The calendar of 2023 to 2025, without holidays.
const CALENDAR: &str = "insert into calendar (date, day_of_week, month, quarter, year)
    select day, extract(isodow from day)::int - 1, extract(month from day)::int,
           extract(quarter from day)::int, extract(year from day)::int
    from generate_series('2023-01-01'::date, '2025-12-31', '1 day') as day";

/// Two stores (`BER-01`, `BER-02`), two products (`TEA-250`, `TEA-500`) and the calendar of 2023 to 2025.
pub(crate) async fn shop(pool: &PgPool) {
    for statement in [
        "insert into store (code, name, region) values ('BER-01', 'Mitte', 'Berlin'), ('BER-02', 'Wedding', 'Berlin')",
        "insert into product (sku, name, category) values ('TEA-250', 'Tea 250 g', 'tea'), ('TEA-500', 'Tea 500 g', 'tea')",
        CALENDAR,
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

/// Three stores, four products of two categories (one has none), 200 days from 2024-01-01 with a weekly rhythm that all
/// series share; store 3 opens on the 171st day and sells product 4 for the last ten days only.
pub(crate) async fn chain(pool: &PgPool) {
    for statement in [
        CALENDAR,
        "insert into store (code, name) select 'S' || i, 'Store ' || i from generate_series(1, 3) as i",
        "insert into product (sku, name, category)
         values ('MILK', 'Milk', 'dairy'), ('SKYR', 'Skyr', 'dairy'), ('ROLL', 'Roll', 'bread'), ('MISC', 'Misc', null)",
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select s.id, p.id, '2024-01-01'::date + i,
                5 * s.id + 2 * p.id + case when i % 7 >= 5 then 30 else 0 end + (i * (s.id + 2 * p.id)) % 5, 1.00, 0
         from store s, product p, generate_series(0, 199) as i
         where i >= case when s.id = 3 and p.id = 4 then 190 when s.id = 3 then 170 else 0 end",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

/// The worked series of the contract (`featuresets.md`, `forecasting.md`) in store 1, product 1: 90 days from
/// 2024-01-01, promotion on rows 40 to 46, two holidays, launch on 2023-12-01.
pub(crate) async fn worked_series(pool: &PgPool) {
    shop(pool).await;
    for statement in [
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select 1, 1, '2024-01-01'::date + i, 20 + 3 * (i % 7) + (5 * i) % 13,
                case when i % 10 = 0 then 8.00 else 10.00 end, 0
         from generate_series(0, 89) as i",
        "insert into promotion (product_id, store_id, name, start_date, end_date)
         values (1, null, 'spring', '2024-01-01'::date + 40, '2024-01-01'::date + 46)",
        "update calendar set is_holiday = true where date in ('2024-01-01', '2024-02-14')",
        "update product set launch_date = '2023-12-01' where id = 1",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

/// The bakery chain of `tests/data`: 30 stores, 3 products, sales to 2019-03-05.
pub(crate) async fn bakery(pool: &PgPool) {
    let folder = database::workspace().join("tests/data/bakery");
    let rejects = tempfile::tempdir().unwrap();
    let source = |name: &str| Source {
        file: folder.join(name),
        format: Format::default(),
        rejects: rejects.path().join(name),
        progress: Progress::silent(),
    };
    import_stores(pool, source("stores.csv")).await.unwrap();
    import_products(pool, source("products.csv")).await.unwrap();
    import_calendar(pool, source("calendar.csv.gz"), HolidayRule::default()).await.unwrap();
    import_sales(pool, source("sales_daily.csv.gz"), SalesOptions::default()).await.unwrap();
}
