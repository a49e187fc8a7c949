//! `POST /ingest/…` with CSV, Parquet and gzip bodies.

use std::io::Write;

use axum::body::Body;
use axum::http::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, stream};
use polars::prelude::{DataFrame, DataType, NamedFrom, ParquetWriter, Series};
use retailcast::config::Config;
use serde_json::json;
use sqlx::Row;

use crate::support::app::{Answer, TestApp};
use crate::support::data;

const SALES: &str = "/ingest/sales-daily";
const HEADER: &str = "date,store_code,sku,quantity,unit_price,total_amount\n";

async fn shop() -> TestApp {
    shop_with(|_| {}).await
}

async fn shop_with(change: impl FnOnce(&mut Config)) -> TestApp {
    let app = TestApp::with(change).await;
    data::shop(&app.pool).await;
    app
}

async fn send(app: &TestApp, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::post(SALES);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(body.into()).unwrap()).await
}

async fn csv(app: &TestApp, body: impl Into<Body>) -> Answer {
    send(app, &[("content-type", "text/csv; charset=utf-8")], body).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `rows` sales of different grains, in the form of [`HEADER`].
fn lines(rows: usize) -> String {
    let lines: Vec<String> = (0..rows)
        .map(|i| {
            let (day, month) = (1 + i % 28, 1 + i / 28 % 12);
            let (store, sku) = (1 + i / 336 % 2, ["TEA-250", "TEA-500"][i / 672 % 2]);
            format!("2024-{month:02}-{day:02},BER-0{store},{sku},{i},3.49,{}.5", i % 100)
        })
        .collect();
    lines.join("\n") + "\n"
}

/// Every row of the table as text.
async fn table(app: &TestApp) -> Vec<String> {
    let rows = sqlx::query(
        "select concat_ws(' ', store_id, product_id, date, quantity, unit_price, total_amount, channel)
         from sales_daily order by store_id, product_id, date",
    );
    rows.fetch_all(&app.pool).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_csv_is_reported_like_json() {
    let app = shop().await;
    // Columns in any order, and some that nobody asked for; quotes, an empty line, a byte order mark.
    let body = "\u{feff}sku,store_code,note,date,total_amount,unit_price,quantity\r\n\
                TEA-250,BER-01,\"a, b\",2025-03-03,41.88,3.490,12\r\n\r\n\
                TEA-250,BER-99,,2025-03-03,13.96,3.49,4\r\n\
                \"TEA-250 \",BER-01,,2025-03-03,13.96,3.49,4\r\n\
                TEA-250,BER-01,,1999-03-03,13.96,3.49,4\r\n\
                TEA-250,BER-01,,2025-03-04T00:00:00,13.96,3.49,4.0\r\n";
    let answer = csv(&app, body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    insta::assert_json_snapshot!(answer.json(), {".duration_ms" => "[milliseconds]"});
    assert_eq!(
        table(&app).await,
        ["1 1 2025-03-03 12 3.49 41.88 in_store", "1 1 2025-03-04 4 3.49 13.96 in_store"]
    );
}

#[tokio::test]
async fn a_value_that_does_not_fit_refuses_the_whole_table() {
    let app = shop().await;
    // In the last of several batches.
    let mut body = HEADER.to_owned() + &lines(25_000);
    body += "2024-01-01,BER-01,TEA-250,-1,3.499,\n2024-01-01,,TEA-250,1,1,1\n";
    let answer = csv(&app, body).await;
    let expected = [
        ("records.25000.quantity", "greater_than_equal"),
        ("records.25000.unit_price", "decimal_max_places"),
        ("records.25000.total_amount", "missing"),
        ("records.25001.store_code", "missing"),
    ];
    assert_eq!(answer.invalid(), expected.map(|(field, kind)| (field.to_owned(), kind.to_owned())));
    assert_eq!(table(&app).await, Vec::<String>::new());

    let many = HEADER.to_owned() + &"2024-01-01,BER-01,TEA-250,x,1,1\n".repeat(5000);
    let answer = csv(&app, many).await;
    let problem = answer.problem(422, "validation");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1000);
    assert!(problem["detail"].as_str().unwrap().contains("stopped after 1000"), "{problem}");
}

#[tokio::test]
async fn what_is_no_table() {
    let app = shop().await;
    for (body, field, kind) in [
        (Vec::new(), "", "missing"),
        (HEADER.into(), "records", "too_short"),
        (b"date,store_code,sku,quantity,unit_price\n".to_vec(), "total_amount", "missing"),
        ((HEADER.to_owned() + "2024-01-01,BER-01\n").into_bytes(), "", "value_error"),
        ((HEADER.replace("sku", "date") + "1,2,3,4,5,6\n").into_bytes(), "date", "value_error"),
        ([HEADER.as_bytes(), b"2024-01-01,\xff,TEA-250,1,1,1\n"].concat(), "", "value_error"),
        (b"PAR1 and no more".to_vec(), "", "value_error"),
        (gzip(lines(100).as_bytes())[..300].to_vec(), "", "value_error"),
        (gzip(&gzip(HEADER.as_bytes())), "", "value_error"),
    ] {
        let answer = csv(&app, body).await;
        assert_eq!(answer.invalid(), [(field.to_owned(), kind.to_owned())], "{}", answer.text);
    }
    let kind = ("content-type", "text/csv");
    let lie = send(&app, &[kind, ("content-encoding", "gzip")], HEADER).await;
    assert_eq!(lie.invalid(), [(String::new(), "value_error".to_owned())]);
    let other = send(&app, &[kind, ("content-encoding", "br")], HEADER).await;
    assert!(other.problem(400, "bad-request")["detail"].as_str().unwrap().contains("`br`"));
    let unknown = send(&app, &[("content-type", "text/tab-separated-values")], HEADER).await;
    assert_eq!(unknown.invalid(), [(String::new(), "dict_type".to_owned())]);
    assert_eq!(table(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn gzip_by_header_and_by_content() {
    let app = shop().await;
    let body = gzip((HEADER.to_owned() + &lines(1000)).as_bytes());
    let kind = ("content-type", "text/csv");
    for headers in [&[kind][..], &[kind, ("content-encoding", "gzip")]] {
        let answer = send(&app, headers, body.clone()).await;
        assert_eq!(answer.json()["processed_count"], 1000, "{}", answer.text);
    }
    assert_eq!(table(&app).await.len(), 1000);
    // JSON too, where the header has to say it.
    let json =
        json!({"records": [{"date": "2024-01-01", "store_code": "BER-01", "sku": "TEA-250", "quantity": 77,
                                   "unit_price": 1, "total_amount": 1}]})
        .to_string();
    let packed = [("content-type", "application/json"), ("content-encoding", "gzip")];
    assert_eq!(send(&app, &packed, gzip(json.as_bytes())).await.json()["processed_count"], 1);
    let broken = send(&app, &packed, gzip(json.as_bytes())[..40].to_vec()).await;
    assert_eq!(broken.invalid(), [("0".to_owned(), "json_invalid".to_owned())]);
    let bomb = send(&app, &packed, gzip(&vec![b' '; (16 << 20) + 1])).await;
    bomb.problem(413, "payload-too-large");
    let largest =
        send(&app, &packed, gzip(&[vec![b' '; (16 << 20) - json.len()], json.into_bytes()].concat())).await;
    assert_eq!(largest.status.as_u16(), 200, "{}", largest.text);
}

#[tokio::test]
async fn a_table_above_the_limit() {
    let app = shop_with(|config| config.ingest.max_table_mib = 1).await;
    let body = HEADER.to_owned() + &lines(30_000);
    assert!(body.len() > 1 << 20 && gzip(body.as_bytes()).len() < 1 << 20);
    for body in [body.clone().into_bytes(), gzip(body.as_bytes())] {
        let chunks: Vec<_> =
            body.chunks(10_000).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
        let problem =
            csv(&app, Body::from_stream(stream::iter(chunks))).await.problem(413, "payload-too-large");
        assert!(problem["detail"].as_str().unwrap().contains("ingest.max_table_mib"), "{problem}");
    }
    // Announced: refused before a byte is read.
    let kind = [("content-type", "text/csv"), ("content-length", "2000000")];
    send(&app, &kind, Body::from_stream(stream::pending::<std::io::Result<Vec<u8>>>()))
        .await
        .problem(413, "payload-too-large");
    assert_eq!(table(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_body_that_is_cut_off_leaves_nothing_behind() {
    let app = shop().await;
    let whole = (HEADER.to_owned() + &lines(30_000)).into_bytes();
    let pieces = whole[..whole.len() / 2].chunks(5000).map(|piece| Ok(piece.to_vec())).collect::<Vec<_>>();
    let cut =
        stream::iter(pieces).chain(stream::once(async { Err(std::io::Error::other("connection reset")) }));
    csv(&app, Body::from_stream(cut)).await.problem(400, "bad-request");
    assert_eq!(table(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_table_that_takes_too_long_is_rolled_back() {
    let app = shop_with(|config| config.ingest.timeout_seconds = 1).await;
    let mut other = app.pool.begin().await.unwrap();
    sqlx::query("insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount) values (2, 2, '2024-12-28', 1, 1, 1)")
        .execute(&mut *other)
        .await
        .unwrap();
    csv(&app, HEADER.to_owned() + &lines(1344)).await.problem(503, "service-unavailable");
    other.rollback().await.unwrap();
    assert_eq!(table(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn tables_in_opposite_orders_end_both() {
    let app = shop().await;
    let rows = lines(1344);
    // Two batches each, so that each waits for what the other has written.
    let forwards = HEADER.to_owned() + &rows.repeat(9);
    let reversed = rows.lines().rev().collect::<Vec<_>>().join("\n") + "\n";
    let backwards = HEADER.to_owned() + &reversed.repeat(9);
    let (a, b) = tokio::join!(csv(&app, forwards), csv(&app, backwards));
    assert_eq!((a.status.as_u16(), b.status.as_u16()), (200, 200), "{} {}", a.text, b.text);
    assert_eq!(table(&app).await.len(), 1344);
}

fn parquet(mut frame: DataFrame) -> Vec<u8> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    bytes
}

#[tokio::test]
async fn parquet_gives_the_same_table_as_csv() {
    let (app, peer) = (shop().await, shop().await);
    let text = lines(1344);
    let cells: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let column = |at: usize| cells.iter().map(|row| row[at]).collect::<Vec<_>>();
    let series = |name: &str, at: usize, kind: &DataType| {
        Series::new(name.into(), column(at)).cast(kind).unwrap().into()
    };
    let frame = DataFrame::new(
        cells.len(),
        vec![
            series("date", 0, &DataType::Date),
            series("store_code", 1, &DataType::String),
            series("sku", 2, &DataType::String),
            series("quantity", 3, &DataType::Int64),
            series("unit_price", 4, &DataType::Float64),
            series("total_amount", 5, &DataType::Decimal(12, 2)),
        ],
    )
    .unwrap();
    let body = parquet(frame.clone());
    let kind = [("content-type", "application/vnd.apache.parquet")];
    let answer = send(&app, &kind, body.clone()).await;
    assert_eq!(answer.json()["processed_count"], 1344, "{}", answer.text);
    assert_eq!(csv(&peer, HEADER.to_owned() + &text).await.json()["processed_count"], 1344);
    assert_eq!(table(&app).await, table(&peer).await);
    // Gzipped, and cut off.
    assert_eq!(send(&app, &kind, gzip(&body)).await.json()["processed_count"], 1344);
    let cut = send(&app, &kind, body[..body.len() - 100].to_vec()).await;
    assert_eq!(cut.invalid(), [(String::new(), "value_error".to_owned())]);
    // A missing value is told by row and column.
    let mut holes = frame.head(Some(3));
    holes.replace("quantity", Series::new("quantity".into(), [Some(1_i64), None, Some(-2)]).into()).unwrap();
    let errors = send(&app, &kind, parquet(holes)).await.invalid();
    assert_eq!(errors[0], ("records.1.quantity".to_owned(), "missing".to_owned()));
    assert_eq!(errors[1], ("records.2.quantity".to_owned(), "greater_than_equal".to_owned()));
}
