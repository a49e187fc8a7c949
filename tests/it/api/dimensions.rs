//! `/dimensions`. Contract: `dimensions.md`.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};

const STORES: &str = "/dimensions/stores";
const PRODUCTS: &str = "/dimensions/products";

/// Stores and products whose order depends on code points, nulls and ties.
async fn shop() -> TestApp {
    let app = TestApp::new().await;
    for statement in [
        "insert into store (code, name, region, city, store_type, created_at, updated_at) values
         ('B', 'Zoo', 'North', null, 'express', '2025-01-02T09:00:00Z', '2025-01-02T10:00:00.5+01:00'),
         ('a', 'Äpfel & Öl', 'Äast', 'Köln', 'supermarket', '2025-01-02T09:00:00.123456Z', '2025-01-03'),
         ('C', 'apple 100%', null, 'Bonn', null, '2025-01-02', '2025-01-02'),
         ('A', 'under_score', '', 'Bonn', 'express', '2025-01-02', '2025-01-02'),
         ('D', 'back\\slash', 'North', 'Aachen', 'express', '2025-01-02', '2025-01-02')",
        "insert into product (sku, name, category, brand, base_price, base_cost, created_at, updated_at) values
         ('TEA-500', 'Green Tea 500g', 'Beverage', 'Leafline', 6.20, 3.1, '2025-01-02T09:00:00Z', '2025-01-02T09:00:00Z'),
         ('TEA-250', 'Green Tea 250g', 'Beverage', 'Leafline', 10, 0, '2025-01-02', '2025-01-02'),
         ('SOAP', 'Soap', 'Care', null, 6.2, null, '2025-01-02', '2025-01-02'),
         ('BAG', 'Tea bag holder', null, 'Acme', null, null, '2025-01-02', '2025-01-02'),
         ('FREE', 'Sample', 'Care', 'acme', 0, 0.5, '2025-01-02', '2025-01-02')",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    app
}

fn names(answer: &Answer, list: &str, member: &str) -> Vec<String> {
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), 200, "{body}");
    let rows = body[list].as_array().unwrap();
    rows.iter().map(|row| row[member].as_str().unwrap().to_owned()).collect()
}

async fn codes(app: &TestApp, query: &str) -> String {
    names(&app.get(&format!("{STORES}?{query}")).await, "stores", "code").join(" ")
}

async fn skus(app: &TestApp, query: &str) -> String {
    names(&app.get(&format!("{PRODUCTS}?{query}")).await, "products", "sku").join(" ")
}

async fn csv(app: &TestApp, path: &str) -> Answer {
    app.send(Request::get(path).header("accept", "text/csv").body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_shapes() {
    let app = shop().await;
    insta::assert_json_snapshot!(
        "stores",
        app.get(&format!("{STORES}?page_size=2&sort_by=name")).await.json()
    );
    insta::assert_json_snapshot!(
        "products",
        app.get(&format!("{PRODUCTS}?search=tea&sort_by=base_price&sort_order=desc&page_size=2"))
            .await
            .json()
    );
    insta::assert_json_snapshot!("store", app.get("/dimensions/stores/2").await.json());
    insta::assert_json_snapshot!("product", app.get("/dimensions/products/5").await.json());
}

#[tokio::test]
async fn orders_are_by_code_point_with_nulls_largest_and_ties_by_code() {
    let app = shop().await;
    for (query, expected) in [
        ("", "A B C D a"),
        ("sort_order=desc", "A B C D a"),
        ("sort_by=colour&sort_order=desc", "A B C D a"),
        ("sort_by=code&sort_order=desc", "a D C B A"),
        ("sort_by=name", "B C D A a"),
        ("sort_by=region", "A B D a C"),
        ("sort_by=region&sort_order=desc", "C a B D A"),
        ("sort_by=city", "D A C a B"),
        ("sort_by=store_type", "A B D a C"),
        ("sort_by=store_type&sort_order=desc", "C a A B D"),
        ("sort_by=Code&sort_order=desc", "A B C D a"),
    ] {
        assert_eq!(codes(&app, query).await, expected, "{query}");
    }
    for (query, expected) in [
        ("", "BAG FREE SOAP TEA-250 TEA-500"),
        ("sort_by=base_price", "FREE SOAP TEA-500 TEA-250 BAG"),
        ("sort_by=base_price&sort_order=desc", "BAG TEA-250 SOAP TEA-500 FREE"),
        ("sort_by=brand", "BAG TEA-250 TEA-500 FREE SOAP"),
        ("sort_by=category&sort_order=desc", "BAG FREE SOAP TEA-250 TEA-500"),
        ("sort_by=name&sort_order=desc", "BAG SOAP FREE TEA-500 TEA-250"),
    ] {
        assert_eq!(skus(&app, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn filters_are_exact_and_searches_literal() {
    let app = shop().await;
    for (query, expected) in [
        ("region=North", "B D"),
        ("region=north", ""),
        ("region=", "A"),
        ("region=%C3%84ast", "a"),
        ("store_type=express&region=North&search=zo", "B"),
        ("region=South&region=North", "B D"),
        ("search=100%25", "C"),
        ("search=%25%25", ""),
        ("search=r_s", "A"),
        ("search=__", ""),
        ("search=k%5Cs", "D"),
        ("search=%5C%5C", ""),
        ("search=%C3%A4P", "a"),
        ("search=%26+%C3%B6L", "a"),
        ("search=APPLE", "C"),
        ("search='%20or", ""),
        ("colour=green", "A B C D a"),
    ] {
        assert_eq!(codes(&app, query).await, expected, "{query}");
    }
    for (query, expected) in [
        ("search=tea", "BAG TEA-250 TEA-500"),
        ("search=-5", "TEA-500"),
        ("brand=acme", "FREE"),
        ("category=Care&brand=acme", "FREE"),
        ("category=", ""),
    ] {
        assert_eq!(skus(&app, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn pages() {
    let app = shop().await;
    for (query, codes, total) in [
        ("page=1&page_size=2", "A B", 5),
        ("page=3&page_size=2", "a", 5),
        ("page=4&page_size=2", "", 5),
        ("page=9223372036854775807&page_size=100", "", 5),
        ("page=2&search=oo", "", 1),
        ("search=nothing", "", 0),
        ("page=1.0&page_size=%20100%20", "A B C D a", 5),
    ] {
        let answer = app.get(&format!("{STORES}?{query}")).await;
        assert_eq!(names(&answer, "stores", "code").join(" "), codes, "{query}");
        assert_eq!(answer.json()["total"], total, "{query}");
    }
    let body = app.get(&format!("{PRODUCTS}?page=7&page_size=3")).await.json();
    assert_eq!((&body["page"], &body["page_size"], &body["products"]), (&json!(7), &json!(3), &json!([])));
}

#[tokio::test]
async fn values_that_do_not_fit() {
    let app = TestApp::new().await;
    for (query, expected) in [
        ("page=0", vec![("query.page", "greater_than_equal")]),
        ("page=x", vec![("query.page", "int_parsing")]),
        ("page=1.5", vec![("query.page", "int_parsing")]),
        ("page=", vec![("query.page", "int_parsing")]),
        ("page_size=0", vec![("query.page_size", "greater_than_equal")]),
        ("page_size=101", vec![("query.page_size", "less_than_equal")]),
        ("page_size=99999999999999999999", vec![("query.page_size", "less_than_equal")]),
        ("search=a", vec![("query.search", "string_too_short")]),
        ("search=", vec![("query.search", "string_too_short")]),
        ("search=%C3%A4", vec![("query.search", "string_too_short")]),
        ("search=%ff%fe", vec![("query.search", "value_error")]),
        ("search=a%00b", vec![("query.search", "value_error")]),
        ("sort_order=up", vec![("query.sort_order", "string_pattern_mismatch")]),
        ("sort_order=ASC", vec![("query.sort_order", "string_pattern_mismatch")]),
        ("sort_order=", vec![("query.sort_order", "string_pattern_mismatch")]),
        (
            "sort_order=up&search=x&page_size=500&page=-1",
            vec![
                ("query.page", "greater_than_equal"),
                ("query.page_size", "less_than_equal"),
                ("query.search", "string_too_short"),
                ("query.sort_order", "string_pattern_mismatch"),
            ],
        ),
    ] {
        let expected: Vec<(String, String)> =
            expected.into_iter().map(|(field, kind)| (field.to_owned(), kind.to_owned())).collect();
        for path in [STORES, PRODUCTS] {
            assert_eq!(app.get(&format!("{path}?{query}")).await.invalid(), expected, "{path}?{query}");
        }
    }
}

#[tokio::test]
async fn single_rows_and_ids_that_are_none() {
    let app = shop().await;
    assert_eq!(app.get("/dimensions/stores/1.0").await.json()["code"], "B");
    for (path, name) in [(STORES, "store_id"), (PRODUCTS, "product_id")] {
        for id in ["99", "0", "-1", "2147483648", "99999999999999999999", "-99999999999999999999"] {
            let problem = app.get(&format!("{path}/{id}")).await.problem(404, "not-found");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(id) && detail.contains(path), "{detail}");
        }
        for id in ["x", "1.5", "%ff", "0x1", "true"] {
            let expected = [(format!("path.{name}"), "int_parsing".to_owned())];
            assert_eq!(app.get(&format!("{path}/{id}")).await.invalid(), expected, "{id}");
        }
        let redirect = app.get(&format!("{path}/?page=2")).await;
        assert_eq!(
            (redirect.status.as_u16(), redirect.header("location")),
            (307, &*format!("{path}?page=2"))
        );
    }
}

#[tokio::test]
async fn lists_as_csv() {
    let app = shop().await;
    let answer = csv(&app, &format!("{STORES}?page_size=3")).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!((answer.header("x-total-count"), answer.header("vary")), ("5", "accept"));
    insta::assert_snapshot!("stores_csv", answer.text.replace("\r\n", "\n"));
    let answer = csv(&app, &format!("{PRODUCTS}?sort_by=base_price")).await;
    insta::assert_snapshot!("products_csv", answer.text.replace("\r\n", "\n"));
    csv(&app, &format!("{STORES}?page=0")).await.problem(422, "validation");
}

#[tokio::test]
async fn a_failing_database() {
    let app = TestApp::new().await;
    for statement in ["alter table store rename to s", "alter table product rename to p"] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    for path in [STORES, PRODUCTS, "/dimensions/stores/1", "/dimensions/products/1"] {
        app.get(path).await.problem(500, "database");
    }
}

#[tokio::test]
async fn every_row_is_on_exactly_one_page() {
    let app = TestApp::new().await;
    sqlx::query("insert into store (code, name, region) select 'S' || i, 'same', nullif(i % 3, 0)::text from generate_series(1, 57) as i")
        .execute(&app.pool)
        .await
        .unwrap();
    for order in ["sort_by=name", "sort_by=region&sort_order=desc", "sort_by=city"] {
        let mut seen: Vec<Value> = Vec::new();
        for page in 1..=6 {
            let body = app.get(&format!("{STORES}?{order}&page={page}&page_size=10")).await.json();
            seen.extend(body["stores"].as_array().unwrap().iter().map(|row| row["id"].clone()));
        }
        seen.sort_by_key(Value::as_i64);
        assert_eq!(seen, (1..=57).map(Value::from).collect::<Vec<_>>(), "{order}");
    }
}
