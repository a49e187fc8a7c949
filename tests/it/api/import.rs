//! Files into the database.

use std::io::Write;
use std::path::{Path, PathBuf};

use retailcast::import::{
    FractionalQuantity, HolidayRule, ImportError, MissingPrice, Progress, PromoFlag, SalesOptions, Source,
    Summary, TooManyDecimals, UnknownDays, UnknownKeys, import_calendar, import_products, import_sales,
    import_stores,
};
use retailcast::tabular::Format;
use sqlx::{PgPool, Row};
use tempfile::TempDir;

use crate::support::{data, database};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn source(&self, name: &str, content: &str) -> Source {
        std::fs::write(self.path(name), content).unwrap();
        self.existing(&self.path(name))
    }

    fn existing(&self, file: &Path) -> Source {
        Source {
            file: file.to_owned(),
            format: Format::default(),
            rejects: self.path("rejects.csv"),
            progress: Progress::silent(),
        }
    }

    fn rejects(&self) -> String {
        std::fs::read_to_string(self.path("rejects.csv")).unwrap_or_default()
    }
}

async fn lines(pool: &PgPool, sql: &'static str) -> Vec<String> {
    sqlx::query(sql).fetch_all(pool).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn sales(pool: &PgPool) -> Vec<String> {
    lines(
        pool,
        "select concat_ws(' ', s.code, p.sku, d.date, quantity, unit_price, total_amount)
         from sales_daily d join store s on s.id = store_id join product p on p.id = product_id
         order by s.code, p.sku, d.date",
    )
    .await
}

fn noted(summary: &Summary, words: &str) -> usize {
    summary.notes.iter().find(|(note, _)| note.contains(words)).map_or(0, |(_, count)| *count)
}

const UNTIDY: &str = "\
date,store_code,sku,quantity,unit_price,total_amount,promo,weather
2024-01-01,BER-01,TEA-250,12,3.49,41.88,0,sun
2024-01-02,BER-01,TEA-250,2.5,,,1,rain
2024-01-03,BER-01,TEA-250,3,3.4949,10.4847,1,
2024-01-05,BER-01,TEA-250,4,1,4,1,
2024-01-01,BER-99,TEA-250,1,1,1,0,
2024-01-01,BER-01,NOPE,1,1,1,0,
yesterday,BER-01,TEA-250,1,1,1,0,
2024-01-01,BER-01,TEA-500,-1,1,1,0,
2024-01-02,BER-01,TEA-500,3000000000,1,1,0,
2024-01-03,BER-01,TEA-500,1,x,1,0,
2024-01-04,BER-01,TEA-500,1,1,1,maybe,
2024-01-05,BER-01,TEA-500,2000000000,10,,0,
0204-01-05,BER-01,TEA-500,1,1,1,0,
2024-01-06,BER-01,TEA\0,1,1,1,0,
";

#[tokio::test]
async fn untidy_sales_are_mended_counted_and_rejected_with_a_reason() {
    let pool = database::fresh().await;
    data::shop(&pool).await;
    let folder = Folder::new();
    let summary = import_sales(&pool, folder.source("s.csv", UNTIDY), SalesOptions::default()).await.unwrap();
    assert_eq!((summary.read, summary.written, summary.rejected), (14, 4, 10));
    assert_eq!(
        sales(&pool).await,
        [
            "BER-01 TEA-250 2024-01-01 12 3.49 41.88",
            "BER-01 TEA-250 2024-01-02 3 0.00 0.00",
            "BER-01 TEA-250 2024-01-03 3 3.49 10.48",
            "BER-01 TEA-250 2024-01-05 4 1.00 4.00",
        ]
    );
    for (words, count) in [
        ("--fractional-quantity", 1),
        ("--too-many-decimals", 1),
        ("--missing-price", 1),
        ("without an amount", 1),
        ("--promo-flag", 2),
        ("--unknown-days", 0),
    ] {
        assert_eq!(noted(&summary, words), count, "{words}: {summary}");
    }
    assert_eq!(summary.unused, ["weather"]);
    insta::assert_snapshot!("rejects", folder.rejects());
    let promotions = "select concat_ws(' ', store_id, product_id, start_date, end_date, kind) from promotion order by start_date";
    let expected = ["1 1 2024-01-02 2024-01-03 pct_off", "1 1 2024-01-05 2024-01-05 pct_off"];
    assert_eq!(lines(&pool, promotions).await, expected);

    // The same file again changes nothing.
    import_sales(&pool, folder.source("s.csv", UNTIDY), SalesOptions::default()).await.unwrap();
    assert_eq!(sales(&pool).await.len(), 4);
    assert_eq!(lines(&pool, promotions).await, expected);
}

#[tokio::test]
async fn promotions_of_a_file_replace_those_of_its_span_and_no_others() {
    let pool = database::fresh().await;
    data::shop(&pool).await;
    sqlx::query("insert into promotion (product_id, name, start_date, end_date) values (1, 'by hand', '2024-01-01', '2024-01-31')")
        .execute(&pool)
        .await
        .unwrap();
    let folder = Folder::new();
    let file = |flags: &[(u32, u8)]| {
        let rows = flags.iter().map(|(day, flag)| format!("2024-01-{day:02},BER-01,TEA-250,1,1,1,{flag}\n"));
        format!("date,store_code,sku,quantity,unit_price,total_amount,promo\n{}", rows.collect::<String>())
    };
    let spans = async || {
        let sql = "select concat(start_date, ' ', end_date) from promotion where name <> 'by hand' order by start_date";
        lines(&pool, sql).await
    };
    let import = async |flags: &[(u32, u8)]| {
        import_sales(&pool, folder.source("s.csv", &file(flags)), SalesOptions::default()).await.unwrap();
    };
    import(&(1..=10).map(|day| (day, 1)).collect::<Vec<_>>()).await;
    assert_eq!(spans().await, ["2024-01-01 2024-01-10"]);
    import(&[(10, 1), (11, 1), (12, 1)]).await;
    assert_eq!(spans().await, ["2024-01-01 2024-01-09", "2024-01-10 2024-01-12"]);
    import(&[(4, 0), (5, 0)]).await;
    assert_eq!(spans().await, ["2024-01-01 2024-01-03", "2024-01-06 2024-01-09", "2024-01-10 2024-01-12"]);
    assert_eq!(lines(&pool, "select name from promotion where name = 'by hand'").await.len(), 1);
}

#[tokio::test]
async fn strict_options_reject_instead() {
    let pool = database::fresh().await;
    data::shop(&pool).await;
    let folder = Folder::new();
    let strict = SalesOptions {
        fractional_quantity: FractionalQuantity::Reject,
        missing_price: MissingPrice::Reject,
        too_many_decimals: TooManyDecimals::Reject,
        promo_flag: PromoFlag::Ignore,
        unknown_days: UnknownDays::Reject,
        unknown_keys: UnknownKeys::Reject,
    };
    let text = format!("{UNTIDY}2031-01-01,BER-01,TEA-250,1,1,1,0,\n");
    let summary = import_sales(&pool, folder.source("s.csv", &text), strict).await.unwrap();
    assert_eq!((summary.read, summary.written, summary.rejected), (15, 3, 12));
    assert_eq!(noted(&summary, "--promo-flag"), 0);
    assert!(folder.rejects().contains("--fractional-quantity") && folder.rejects().contains("2031-01-01"));
}

#[tokio::test]
async fn floor_ceil_and_base_prices() {
    let pool = database::fresh().await;
    data::shop(&pool).await;
    sqlx::query("update product set base_price = 2.50 where sku = 'TEA-250'").execute(&pool).await.unwrap();
    let folder = Folder::new();
    let text = "date,store_code,sku,quantity\n2024-01-01,BER-01,TEA-250,2.5\n2024-01-01,BER-01,TEA-500,2.5\n";
    for (rule, quantity) in
        [(FractionalQuantity::Floor, "2 2.50 5.00"), (FractionalQuantity::Ceil, "3 2.50 7.50")]
    {
        let options = SalesOptions {
            fractional_quantity: rule,
            missing_price: MissingPrice::BasePrice,
            ..SalesOptions::default()
        };
        let summary = import_sales(&pool, folder.source("s.csv", text), options).await.unwrap();
        assert_eq!(summary.rejected, 1);
        assert_eq!(sales(&pool).await, [format!("BER-01 TEA-250 2024-01-01 {quantity}")]);
    }
}

#[tokio::test]
async fn unknown_keys_and_days_can_be_added() {
    let pool = database::fresh().await;
    sqlx::query("insert into store (code, name) values ('A', 'first')").execute(&pool).await.unwrap();
    let folder = Folder::new();
    let text = "date,store,product,quantity,price\n2024-02-28,007,00042,1,2\n2024-03-02,A,00042,2,2\n2024-03-02,A,7,bad,2\n";
    let options = SalesOptions { unknown_keys: UnknownKeys::Add, ..SalesOptions::default() };
    let summary = import_sales(&pool, folder.source("s.csv", text), options).await.unwrap();
    assert_eq!((summary.written, summary.rejected), (2, 1));
    assert_eq!(noted(&summary, "stores added"), 1);
    assert_eq!(noted(&summary, "products added"), 1);
    assert_eq!(noted(&summary, "calendar days"), 4);
    assert_eq!(sales(&pool).await, ["007 00042 2024-02-28 1 2.00 2.00", "A 00042 2024-03-02 2 2.00 4.00"]);
    // Codes keep their zeros, the rejected row's SKU was not added, and the sequences go on after them.
    assert_eq!(lines(&pool, "select sku from product").await, ["00042"]);
    sqlx::query("insert into store (code, name) values ('B', 'third')").execute(&pool).await.unwrap();
    sqlx::query("insert into product (sku, name) values ('B', 'second')").execute(&pool).await.unwrap();
    let day = "select concat_ws(' ', date, day_of_week, month, quarter, year, is_holiday) from calendar where date = '2024-02-29'";
    assert_eq!(lines(&pool, day).await, ["2024-02-29 3 2 1 2024 f"]);
}

#[tokio::test]
async fn a_file_without_one_usable_row_or_column_is_refused() {
    let pool = database::fresh().await;
    data::shop(&pool).await;
    let folder = Folder::new();
    let source = folder.source("s.csv", "date,store_code,sku,quantity\n2024-01-01,X,Y,1\n");
    let error = import_sales(&pool, source, SalesOptions::default()).await.unwrap_err();
    assert!(error.is_refusal() && error.to_string().contains("no store with code `X`"), "{error}");
    assert!(folder.rejects().contains("no store"));
    let source = folder.source("s.csv", "date,store_code,sku,units\n2024-01-01,X,Y,1\n");
    let error = import_sales(&pool, source, SalesOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("--column quantity="), "{error}");
    let mut source = folder.source("s.csv", "day;store_code;sku;units\n2024-01-01;BER-01;TEA-250;1\n");
    source.format.delimiter = b';';
    source
        .format
        .columns
        .0
        .extend([("quantity".to_owned(), "units".to_owned()), ("date".to_owned(), "day".to_owned())]);
    assert_eq!(import_sales(&pool, source, SalesOptions::default()).await.unwrap().written, 1);
    // Mended: the rejects of before are gone.
    assert_eq!(folder.rejects(), "");
}

#[tokio::test]
async fn a_damaged_file_leaves_nothing() {
    let pool = database::fresh().await;
    data::shop(&pool).await;
    let folder = Folder::new();
    let mut text = String::from("date,store_code,sku,quantity\n");
    for i in 0..30_000 {
        text += &format!("{}-{:02}-{:02},BER-01,TEA-250,1\n", 2023 + i % 3, 1 + i % 12, 1 + i % 28);
    }
    let file = folder.path("s.csv.gz");
    let mut gz =
        flate2::write::GzEncoder::new(std::fs::File::create(&file).unwrap(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 100]).unwrap();
    let error = import_sales(&pool, folder.existing(&file), SalesOptions::default()).await.unwrap_err();
    assert!(matches!(error, ImportError::Table(_)) && error.to_string().contains("damaged"), "{error}");
    assert_eq!(sales(&pool).await, Vec::<String>::new());
}

#[tokio::test]
async fn stores_and_products_keep_what_a_file_does_not_say() {
    let pool = database::fresh().await;
    let folder = Folder::new();
    let full = "store_code,name,region,city,store_type\nA,Alpha,North,Kiel,express\n";
    import_stores(&pool, folder.source("a.csv", full)).await.unwrap();
    import_stores(&pool, folder.source("b.csv", "code,name\nA,Aleph\nB,Beta\n,Nobody\n")).await.unwrap();
    assert!(folder.rejects().contains("the store code is empty"));
    let stores = "select concat_ws(' ', code, name, region, city, store_type) from store order by code";
    assert_eq!(lines(&pool, stores).await, ["A Aleph North Kiel express", "B Beta"]);
    import_stores(&pool, folder.source("c.csv", "code,region\nA,South\nC,South\n")).await.unwrap();
    assert_eq!(lines(&pool, stores).await, ["A Aleph South Kiel express", "B Beta", "C C South"]);

    let full = "sku,name,category,vendor,base_price,pack_size,launch_date,discontinue_date,lifecycle_stage\n\
                007,Tea,tea,Acme,3.49,6,2020-01-01,,growth\n\
                8,Bad,tea,Acme,3.499,,,,\n9,Bad,tea,Acme,3,0,,,\n10,Bad,tea,Acme,3,1,2020-01-02,2020-01-01,\n11,Bad,tea,Acme,3,1,,,old\n";
    let mut source = folder.source("p.csv", full);
    source.format.columns.0.insert("brand".to_owned(), "vendor".to_owned());
    let summary = import_products(&pool, source).await.unwrap();
    assert_eq!((summary.written, summary.rejected), (1, 4));
    import_products(&pool, folder.source("q.csv", "sku,name\n007,Green tea\n")).await.unwrap();
    let products = "select concat_ws(' ', sku, name, category, brand, base_price, pack_size, launch_date, lifecycle_stage) from product";
    assert_eq!(lines(&pool, products).await, ["007 Green tea tea Acme 3.49 6 2020-01-01 growth"]);
}

#[tokio::test]
async fn a_calendar_of_several_stores_becomes_one() {
    let pool = database::fresh().await;
    let folder = Folder::new();
    let text = "date,store_code,is_public_holiday,is_school_holiday\n\
                2024-01-06,A,1,1\n2024-01-06,B,0,1\n2024-01-06,C,1,1\n2024-01-07,A,0,0\n2024-01-08,A,2,0\n";
    let summary = import_calendar(&pool, folder.source("c.csv", text), HolidayRule::Most).await.unwrap();
    assert_eq!((summary.read, summary.written, summary.rejected), (5, 2, 1));
    assert_eq!((noted(&summary, "folded"), noted(&summary, "--holiday-rule")), (2, 1));
    let days = "select concat_ws(' ', date, day_of_week, is_holiday) from calendar order by date";
    assert_eq!(lines(&pool, days).await, ["2024-01-06 5 t", "2024-01-07 6 f"]);
    import_calendar(&pool, folder.source("c.csv", text), HolidayRule::All).await.unwrap();
    assert_eq!(lines(&pool, days).await[0], "2024-01-06 5 f");
}

#[tokio::test]
async fn the_real_bakery() {
    let pool = database::fresh().await;
    let folder = Folder::new();
    let bakery = database::workspace().join("tests/data/bakery");
    import_stores(&pool, folder.existing(&bakery.join("stores.csv"))).await.unwrap();
    import_products(&pool, folder.existing(&bakery.join("products.csv"))).await.unwrap();
    import_calendar(&pool, folder.existing(&bakery.join("calendar.csv.gz")), HolidayRule::default())
        .await
        .unwrap();
    let file = folder.existing(&bakery.join("sales_daily.csv.gz"));
    let summary = import_sales(&pool, file, SalesOptions::default()).await.unwrap();
    assert_eq!((summary.read, summary.written, summary.rejected), (104_310, 104_310, 0));
    assert_eq!(noted(&summary, "--fractional-quantity"), 32);
    assert_eq!(noted(&summary, "--missing-price"), 104_310);
    assert!(noted(&summary, "--promo-flag") > 1_000);
    let total = lines(
        &pool,
        "select count(*)::text || ' ' || count(distinct (store_id, product_id))::text from sales_daily",
    )
    .await;
    assert_eq!(total, ["104310 90"]);
}
